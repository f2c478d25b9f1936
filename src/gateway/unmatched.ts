import type { FastifyReply, FastifyRequest } from 'fastify'
import { PlatformError } from '../kernel/errors.ts'
import { pathOf } from './problem.ts'
import type { RouteTable } from './route-table.ts'
import { sendNothing } from './send.ts'

/** Answers what no route took: 405 where the path knows other methods, 404 elsewhere. */
export function answerUnmatched(table: RouteTable, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request.url)
  const methods = table.methodsOf(path)
  if (methods.length === 0) throw new PlatformError('NOT_FOUND', `there is nothing at ${path}`)
  reply.header('allow', methods.join(', '))
  if (request.method === 'OPTIONS') return sendNothing(reply, 204)
  throw new PlatformError('METHOD_NOT_ALLOWED', `${path} does not take ${request.method}`, {
    hint: `Use ${methods.filter((method) => method !== 'OPTIONS').join(' or ')}.`,
  })
}
