import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { ConsumerDefinition } from '../delivery/on.ts'
import type { EventDefinition } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Metrics } from '../kernel/metrics.ts'
import { closeServer, trackConnections } from './close-server.ts'
import { type ConsoleOptions, serveConsole } from './console/console.ts'
import type { ContextFactory } from './context.ts'
import { serveDocs } from './docs/serve-docs.ts'
import { answerHealth, type Health } from './health.ts'
import { observeResponses, routeMetrics } from './http-metrics.ts'
import { measureProcess } from './process-metrics.ts'
import type { Route } from './route.ts'
import { RouteTable } from './route-table.ts'
import { RunningRequests } from './running-requests.ts'
import { serveRoute } from './serve-route.ts'
import { type Limits, makeServer } from './server.ts'
import { answerUnmatched } from './unmatched.ts'

export interface GatewayOptions {
  /** Name and version of the app, for the documentation. */
  title: string
  version?: string
  routes: readonly Route[]
  /** What `/asyncapi.json` describes beside the routes. @default none */
  events?: readonly EventDefinition[]
  consumers?: readonly ConsumerDefinition[]
  /** @default '127.0.0.1' */
  host?: string
  /** 0 takes a free one. @default 0 */
  port?: number
  context: ContextFactory
  /** Whom `currentPlatform` names while a handler runs. */
  platform: object
  metrics: Metrics
  logger: Logger
  health: Health
  /** Absent: nothing is served below `/_/`. */
  console?: ConsoleOptions
  limits?: Partial<Limits>
  /** Tells callers the messages of the server's own failures (5xx) too; for development. @default false */
  tellFailures?: boolean
}

export interface Gateway {
  /** `http://127.0.0.1:4400`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Signs in to the console; absent without one. Not to be logged. */
  readonly consoleToken: string | undefined
  /** Stops accepting, finishes what runs for at most 2 s, then cuts what is left. */
  close(): Promise<void>
}

const defaultLimits: Limits = { bodyBytes: 1024 * 1024, headersMs: 10_000, requestMs: 30_000 }

/** Serves the routes of an app over HTTP, with their documentation, health, metrics and the console. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { host = '127.0.0.1', port = 0, metrics, logger, tellFailures = false } = options
  const server = makeServer({ limits: { ...defaultLimits, ...options.limits }, logger, tellFailures })
  const connections = trackConnections(server)
  const running = new RunningRequests()
  const table = new RouteTable()
  server.addHook('onResponse', observeResponses(routeMetrics(metrics, 'any', 'unmatched')))
  server.setNotFoundHandler((request, reply) => answerUnmatched(table, request, reply))

  serveOperations(server, table, options)
  serveDocs(server, table, options)
  const deps = { table, metrics, logger, running }
  const served = options.console === undefined ? undefined : await serveConsole(server, options.console, deps)
  table.addRoutes(options.routes)
  for (const route of options.routes) addRoute(server, route, { ...options, running })

  const stopMeasuring = measureProcess(metrics)
  try {
    await server.listen({ host, port })
  } catch (cause) {
    stopMeasuring()
    await server.close()
    throw new PlatformError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${reasonOf(cause)}`, { cause })
  }
  const bound = server.server.address() as AddressInfo
  return {
    url: `http://${urlHost(host)}:${bound.port}`,
    port: bound.port,
    consoleToken: served?.token,
    async close() {
      served?.close()
      await closeServer(server, connections, running)
      stopMeasuring()
    },
  }
}

function serveOperations(server: FastifyInstance, table: RouteTable, { health, metrics }: GatewayOptions): void {
  table.add('GET', '/healthz')
  server.get('/healthz', (_request, reply) => answerHealth(health, reply))
  table.add('GET', '/metrics')
  server.get('/metrics', (_request, reply) =>
    reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(metrics.text()),
  )
}

function addRoute(
  server: FastifyInstance,
  route: Route,
  deps: Parameters<typeof serveRoute>[1] & { metrics: Metrics },
): void {
  if (route.rawBody !== undefined) {
    // In a scope of its own: elsewhere only JSON is read.
    void server.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body))
      declareRoute(scope, route, deps)
      done()
    })
  } else declareRoute(server, route, deps)
}

function declareRoute(server: FastifyInstance, route: Route, deps: Parameters<typeof addRoute>[2]): void {
  server.route({
    method: route.method,
    url: route.path,
    config: { observed: routeMetrics(deps.metrics, route.method, route.path) },
    ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    handler: (request, reply) => serveRoute(route, deps, request, reply),
  })
}

function reasonOf(cause: unknown): string {
  const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined
  if (code === 'EADDRINUSE') return 'the port is taken'
  if (code === 'EACCES') return 'the port needs more rights'
  return typeof code === 'string' ? code : 'the address cannot be used'
}

/** A bind-all address is no address to call. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
