import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../../kernel/logger.ts'
import type { Metrics } from '../../kernel/metrics.ts'
import { routeMetrics } from '../http-metrics.ts'
import { pathOf } from '../problem.ts'
import type { RouteTable } from '../route-table.ts'
import type { RunningRequests } from '../running-requests.ts'
import { sendProblem } from '../send.ts'
import { answerUnmatched } from '../unmatched.ts'
import { loadAssets } from './assets.ts'
import { type EventStreamOptions, eventStreamDefaults } from './event-stream.ts'
import { checkHost, checkSignedIn } from './guard.ts'
import { type LiveSource, LiveStreams } from './live.ts'
import { type Operation, serveOperations } from './operations.ts'
import { servePage } from './pages.ts'
import { consoleToken } from './token.ts'

export interface ConsoleOptions {
  /** Folder of the built console. */
  folder: string
  operations: readonly Operation[]
  live: LiveSource
  /** At least 16 characters. @default a random one */
  token?: string
  /** Host names other than loopback under which the console answers. @default none */
  allowedHosts?: readonly string[]
  stream?: Partial<EventStreamOptions>
}

export interface ConsoleDeps {
  table: RouteTable
  metrics: Metrics
  logger: Logger
  running: RunningRequests
}

export interface ServedConsole {
  readonly token: string
  /** Ends the live streams, which would end by themselves never. */
  close(): void
}

/** Serves the console, its operations and its live stream below `/_/`, to those who are signed in. */
export async function serveConsole(
  server: FastifyInstance,
  options: ConsoleOptions,
  deps: ConsoleDeps,
): Promise<ServedConsole> {
  const { table, metrics, logger } = deps
  const token = consoleToken(options.token)
  const assets = await loadAssets(options.folder)
  const streams = new LiveStreams(options.live, { ...eventStreamDefaults, ...options.stream })
  const guard = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    reply.headers(safeHeaders)
    checkHost(request.headers.host, options.allowedHosts ?? [])
    if (pathOf(request.url).startsWith('/_/api/')) checkSignedIn(request, token)
    done()
  }
  const config = { observed: routeMetrics(metrics, 'GET', '/_/*') }
  table.add('GET', '/_/api/stream')
  await server.register(async (scope) => {
    scope.addHook('onRequest', guard)
    // Whoever is signed in may know why something failed.
    scope.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, { logger, tellFailures: true }))
    serveOperations(scope, options.operations, deps)
    scope.get('/_/api/stream', { config, exposeHeadRoute: false }, (request, reply) => streams.serve(request, reply))
    scope.all('/_/api/*', { config }, (request, reply) => answerUnmatched(table, request, reply))
    scope.get('/_', { config }, (_request, reply) => reply.redirect('/_/', 308))
    scope.get('/_/*', { config }, (request, reply) => servePage(assets, token, request, reply))
  })
  return { token: token.token, close: () => streams.close() }
}

const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}
