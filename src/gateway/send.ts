import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorRecord } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { platformErrorOf, problemOf, problemType } from './problem.ts'

/** Sends a JSON value. A status or content type that the handler set stands. */
export function sendJson(reply: FastifyReply, value: unknown, status: number): FastifyReply {
  if (reply.statusCode === 200) reply.code(status)
  if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json; charset=utf-8')
  return reply.header('x-request-id', reply.request.id).send(JSON.stringify(value))
}

export function sendNothing(reply: FastifyReply, status: number): FastifyReply {
  if (reply.statusCode === 200) reply.code(status)
  return reply.header('x-request-id', reply.request.id).send()
}

/** Sends any error as a problem document; failures of the server are logged with the request's id. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { logger, tellFailures }: { logger: Logger; tellFailures: boolean },
): FastifyReply {
  const known = platformErrorOf(error)
  const { id, method, url } = request
  const problem = problemOf(known, { id, url }, tellFailures)
  if (known.status >= 500) {
    const { instance: path } = problem
    logger.error({ requestId: id, method, path, error: describe(error) }, 'a request failed')
  }
  return reply
    .code(known.status)
    .header('content-type', problemType)
    .header('cache-control', 'no-store')
    .header('x-request-id', id)
    .send(JSON.stringify(problem))
}

/** An error and what caused it, for the log. */
function describe(error: unknown, depth = 0): object {
  const record = errorRecord(error)
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return cause === undefined || depth === 3 ? record : { ...record, cause: describe(cause, depth + 1) }
}
