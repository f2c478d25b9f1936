import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { RunningRequests } from './running-requests.ts'

/** How long running requests have, and then how long their aborted handlers have to answer. */
const finishMs = 2000
const abortedMs = 300
const sweepMs = 50

/** Keeps the open connections of a server; to be called before it listens. */
export function trackConnections(server: FastifyInstance): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** Stops accepting, lets running requests finish, then aborts and cuts what is left. */
export async function closeServer(
  server: FastifyInstance,
  connections: ReadonlySet<Socket>,
  running: RunningRequests,
): Promise<void> {
  const sweep = setInterval(() => closeIdle(server, connections), sweepMs)
  const abort = setTimeout(() => running.abortAll(), finishMs)
  const cut = setTimeout(() => server.server.closeAllConnections(), finishMs + abortedMs)
  try {
    await server.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(abort)
    clearTimeout(cut)
  }
}

/** A connection kept alive turns idle only when its answer is out, so this is repeated until none is left. */
function closeIdle(server: FastifyInstance, connections: ReadonlySet<Socket>): void {
  server.server.closeIdleConnections()
  // Node takes a connection that a browser opened in advance, and never used, for a busy one.
  for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
}
