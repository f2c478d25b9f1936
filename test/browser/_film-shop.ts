import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface FilmShop {
  /** Such as `http://127.0.0.1:41233`. */
  url: string
  /** The console's address that signs in. */
  signIn: string
  stop(): Promise<void>
}

const token = 'browser-test-token-of-the-film-shop'
const readyMs = 60_000

/** Starts the real film shop on a Postgres of its own in a folder of its own. */
export async function startFilmShop(): Promise<FilmShop> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-browser-'))
  const child = spawn(process.execPath, ['dist/cli/main.js', 'start', 'examples/film-shop'], {
    env: { ...process.env, NODE_ENV: 'production', PORT: '0', MILLRACE_DIR: directory, MILLRACE_CONSOLE_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const url = await ready(child)
  return {
    url,
    signIn: `${url}/_/?t=${token}`,
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function ready(child: ChildProcess): Promise<string> {
  const said: string[] = []
  child.stderr?.on('data', (chunk) => said.push(String(chunk)))
  if (child.stdout === null) throw new Error('the film shop has no output to read')
  const timer = setTimeout(() => child.kill('SIGKILL'), readyMs)
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line)
      const url = /^ready (\S+)$/.exec(line)?.[1]
      if (url === undefined) continue
      child.stdout.resume()
      return url
    }
  } finally {
    clearTimeout(timer)
  }
  throw new Error(`the film shop did not start:\n${said.join('\n')}`)
}
