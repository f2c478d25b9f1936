import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Starts a Redis of the run's own, or says `undefined` when none is installed. It writes what it is given to a file and
 * syncs that once a second, as its documentation advises for queues: a crash loses up to a second.
 */
export async function openBenchRedis(): Promise<{ port: number; close: () => Promise<void> } | undefined> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-redis-'))
  const redis = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const missing = once(redis, 'error').then(() => true)
  const ready = (async () => {
    for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept')) return false
    return true
  })()
  if (await Promise.race([missing, ready])) return undefined
  redis.stdout.resume()
  return {
    port,
    async close() {
      redis.kill()
      await once(redis, 'exit')
      await rm(folder, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
