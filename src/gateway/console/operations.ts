import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PlatformError } from '../../kernel/errors.ts'
import type { Metrics } from '../../kernel/metrics.ts'
import type { Schema } from '../../kernel/schema.ts'
import { routeMetrics } from '../http-metrics.ts'
import type { RouteTable } from '../route-table.ts'
import type { RunningRequests } from '../running-requests.ts'
import { sendJson, sendNothing } from '../send.ts'

/** One thing the console and the CLI can ask for or do. */
export interface Operation {
  /** Its address is `/_/api/<name>`. */
  readonly name: string
  /** A query is a GET with flat fields in its address; a command is a POST of JSON. */
  readonly kind: 'query' | 'command'
  readonly input: Schema<unknown>
  run(input: unknown, call: { signal: AbortSignal }): Promise<unknown>
}

export function serveOperations(
  server: FastifyInstance,
  operations: readonly Operation[],
  { table, metrics, running }: { table: RouteTable; metrics: Metrics; running: RunningRequests },
): void {
  for (const operation of operations) {
    const method = operation.kind === 'query' ? 'GET' : 'POST'
    const url = `/_/api/${operation.name}`
    table.add(method, url)
    server.route({
      method,
      url,
      config: { observed: routeMetrics(metrics, method, url) },
      handler: (request, reply) => runOperation(operation, running, request, reply),
    })
  }
}

async function runOperation(
  operation: Operation,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const input = operationInput(operation, request)
  const result = await operation.run(input, { signal: running.signalOf(reply.raw) })
  reply.header('cache-control', 'no-store')
  return result === undefined ? sendNothing(reply, 204) : sendJson(reply, result, 200)
}

function operationInput({ name, kind, input }: Operation, request: FastifyRequest): unknown {
  if (kind === 'query') return input.parseText(request.query, name)
  if (Object.keys(request.query as object).length === 0) return input.parse(request.body ?? {}, name)
  throw new PlatformError('INPUT_INVALID', `${name} takes its input as JSON in the body`)
}
