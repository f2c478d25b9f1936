import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that Linux (from 32768) and macOS (from 49152) give to outgoing connections, so rarely taken. */
const first = 20_000
const count = 12_000

/**
 * The port to use: the remembered one if it is free, else one that follows from the folder, so that a folder keeps its
 * port even when its data is removed, else the next free one.
 */
export async function choosePort(directory: string, remembered: number | undefined): Promise<number> {
  if (remembered !== undefined && (await isFree(remembered))) return remembered
  const start = createHash('sha256').update(directory).digest().readUInt32BE() % count
  for (let step = 0; step < 100; step += 1) {
    const port = first + ((start + step) % count)
    if (port !== remembered && (await isFree(port))) return port
  }
  return await anyPort()
}

/** Whether nobody listens on the port. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ host: '127.0.0.1', port, exclusive: true })
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

async function anyPort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0, exclusive: true })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
