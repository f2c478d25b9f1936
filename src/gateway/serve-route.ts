import type { FastifyReply, FastifyRequest } from 'fastify'
import { currentPlatform } from '../kernel/binding.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { ContextFactory } from './context.ts'
import { pathOf } from './problem.ts'
import { RequestContext, type RouteInput } from './request-context.ts'
import { RequestView } from './request-info.ts'
import type { Route } from './route.ts'
import type { RunningRequests } from './running-requests.ts'
import { sendJson, sendNothing } from './send.ts'

export interface ServeDeps {
  context: ContextFactory
  /** Whom `currentPlatform` names while a handler runs. */
  platform: object
  logger: Logger
  running: RunningRequests
}

/** One request to one route: check the input, call the handler, check and send what it returned. */
export async function serveRoute(
  route: Route,
  deps: ServeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const input = checkInput(route, request)
  const info = new RequestView(request)
  const { logger, running } = deps
  const context = new RequestContext({ input, info, platform: deps.context(info), request, reply, logger, running })
  const result = await currentPlatform.run(deps.platform, () => route.handle(context))
  return sendResult(route, result, reply)
}

function checkInput(route: Route, request: FastifyRequest): RouteInput {
  return {
    params: route.params.parseText(request.params, 'path'),
    query: route.query.parseText(request.query, 'query'),
    body: checkBody(route, request.body),
  }
}

function checkBody(route: Route, body: unknown): unknown {
  if (route.rawBody !== undefined) return body ?? new Uint8Array()
  if (route.body === undefined) {
    // Left out silently, a body would look accepted.
    if (body === undefined || body === null) return undefined
    throw new PlatformError('INPUT_INVALID', `${route.name} takes no body`, { hint: 'Send the request without one.' })
  }
  if (body !== undefined) return route.body.parse(body, 'body')
  const issues = [{ path: '', message: 'is missing' }]
  throw new PlatformError('INPUT_INVALID', `${route.name} needs a JSON body`, { issues })
}

function sendResult(route: Route, result: unknown, reply: FastifyReply): FastifyReply {
  if (result === undefined || result === null) {
    // A status that the handler chose, such as of a redirect, says more than 404.
    if (route.method === 'GET' && reply.statusCode === 200) throw nothingThere(reply.request)
    return sendNothing(reply, route.status ?? 204)
  }
  const { response } = route
  const value = response === undefined ? result : checkResponse(route.name, response, result)
  return sendJson(reply, value, route.status ?? 200)
}

function checkResponse(name: string, response: NonNullable<Route['response']>, result: unknown): unknown {
  try {
    return response.parse(result, 'response')
  } catch (cause) {
    const issues = cause instanceof PlatformError ? cause.issues : []
    throw new PlatformError(
      'RESPONSE_INVALID',
      `the handler of ${name} returned something else than its contract says`,
      {
        cause,
        issues,
      },
    )
  }
}

function nothingThere(request: FastifyRequest): PlatformError {
  return new PlatformError('NOT_FOUND', `there is nothing at ${pathOf(request.url)}`)
}
