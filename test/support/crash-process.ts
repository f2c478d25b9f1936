import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { silentLogger } from '../../src/kernel/logger.ts'
import { startApp } from '../../src/platform/start-app.ts'
import { crashApp } from './crash-app.ts'

/** A process of its own that runs `crashApp`, until it dies or is killed. */
export interface CrashProcess {
  readonly ready: Promise<void>
  /** The signal or code that ended it. */
  readonly ended: Promise<string>
  kill(): void
}

export function startCrashProcess(url: string): CrashProcess {
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
  await startApp(crashApp, {
    location: { kind: 'url', url },
    environment: 'development',
    logger: silentLogger,
    memberName: 'child',
  })
  process.stdout.write('ready\n')
}
