import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { silentLogger } from '../../src/kernel/logger.ts'
import { startApp } from '../../src/platform/start-app.ts'
import { jobsApp } from './jobs-app.ts'

/** A process of its own that works on the jobs of `jobsApp`, until it dies or is killed. */
export interface JobsProcess {
  readonly ready: Promise<void>
  /** The signal or code that ended it. */
  readonly ended: Promise<string>
  kill(): void
}

export function startJobsProcess(url: string): JobsProcess {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), import.meta.filename, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return {
    ready: once(child.stdout, 'data').then(() => undefined),
    ended: once(child, 'exit').then(([code, signal]) => String(signal ?? code)),
    kill: () => child.kill('SIGKILL'),
  }
}

if (process.argv[1] === import.meta.filename) {
  const url = process.argv[2] ?? ''
  await startApp(jobsApp, { location: { kind: 'url', url }, environment: 'development', logger: silentLogger })
  process.stdout.write('ready\n')
}
