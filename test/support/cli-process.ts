import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** A folder with an app in it, outside of the repository. */
export class AppFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'millrace-cli-'))

  constructor(files: Readonly<Record<string, string>>) {
    mkdirSync(join(this.path, 'node_modules'))
    symlinkSync(root, join(this.path, 'node_modules/millrace'))
    this.write('package.json', '{ "name": "tiny", "private": true, "type": "module" }\n')
    for (const [name, text] of Object.entries(files)) this.write(name, text)
  }

  write(name: string, text: string): void {
    const file = join(this.path, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A run of the CLI as a process of its own, from the sources. */
export class CliProcess {
  readonly process: ChildProcess
  stdout = ''
  stderr = ''
  readonly #ended: Promise<number | NodeJS.Signals>
  readonly #waiting: (() => void)[] = []

  constructor(args: readonly string[], options: { cwd?: string; env?: Record<string, string>; input?: string } = {}) {
    const { cwd = root, env = {}, input } = options
    const loading = ['--conditions=millrace:source', '--import', import.meta.resolve('tsx')]
    this.process = spawn(process.execPath, [...loading, join(root, 'src/cli/main.ts'), ...args], {
      cwd,
      env: { ...cleanEnvironment(), PORT: '0', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.process.stdin?.end(input)
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('utf8')
      this.#wake()
    })
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8')
      this.#wake()
    })
    this.#ended = once(this.process, 'close').then(([code, signal]) => signal ?? code)
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals> {
    return this.#ended
  }

  /** Resolves with what `pattern` finds in the output, as soon as it does. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const over = this.#ended.then(() => true)
    for (;;) {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
      if (found !== null) return found
      const more = new Promise<boolean>((resolve) => this.#waiting.push(() => resolve(false)))
      if ((await Promise.race([over, more])) && !pattern.test(this.stdout) && !pattern.test(this.stderr)) {
        throw new Error(`it ended without ${pattern}:\n${this.stdout}\n${this.stderr}`)
      }
    }
  }

  /** Where the app answers, once it does. */
  async ready(): Promise<string> {
    return (await this.shows(/^ready (http:\/\/127\.0\.0\.1:\d+)$/m))[1] ?? ''
  }

  /** Asks it to end and waits. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.process.kill(signal)
    return await this.#ended
  }
}

/** Runs a command to its end. */
export async function runCli(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const cli = new CliProcess(args, options)
  const code = await cli.ended()
  return { code, stdout: cli.stdout, stderr: cli.stderr }
}

const ours = [
  'DATABASE_URL',
  'DIRECT_URL',
  'MILLRACE_DIR',
  'MILLRACE_CONSOLE_TOKEN',
  'HOST',
  'LOG_LEVEL',
  'NO_COLOR',
  'NODE_OPTIONS',
  'VITEST',
]

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.includes(name)))
}
