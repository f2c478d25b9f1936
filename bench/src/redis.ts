import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Starts a Redis of the run's own, or says `undefined` when none is installed. */
export async function openBenchRedis(): Promise<{ port: number; close: () => Promise<void> } | undefined> {
  const port = await freePort()
  const redis = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
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
