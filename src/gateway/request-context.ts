import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Publish } from '../events/publish.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Sql } from '../store/sql.ts'
import type { HandlerContext, ReplyControl, RequestInfo, RouteContext } from './context.ts'
import type { RunningRequests } from './running-requests.ts'

/** The checked parts of one request. */
export interface RouteInput {
  params: unknown
  query: unknown
  body: unknown
}

export interface RequestParts {
  input: RouteInput
  info: RequestInfo
  platform: HandlerContext
  request: FastifyRequest
  reply: FastifyReply
  logger: Logger
  running: RunningRequests
}

/** What a handler gets. Parts that cost something and are seldom asked for are made when asked for. */
export class RequestContext implements RouteContext {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly request: RequestInfo
  readonly sql: Sql
  readonly transaction: HandlerContext['transaction']
  readonly publish: Publish
  readonly #parts: RequestParts
  #signal: AbortSignal | undefined

  constructor(parts: RequestParts) {
    const { input, platform } = parts
    this.params = input.params
    this.query = input.query
    this.body = input.body
    this.request = parts.info
    this.sql = platform.sql
    this.transaction = platform.transaction
    this.publish = platform.publish
    this.#parts = parts
  }

  get log(): Logger {
    return requestLogger(this.#parts.logger, this.request.id)
  }

  get reply(): ReplyControl {
    return replyControl(this.#parts.reply)
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#parts.running.signalOf(this.#parts.reply.raw)
    return this.#signal
  }
}

export function requestLogger(logger: Logger, requestId: string): Logger {
  return {
    debug: (fields, message) => logger.debug({ requestId, ...fields }, message),
    info: (fields, message) => logger.info({ requestId, ...fields }, message),
    warn: (fields, message) => logger.warn({ requestId, ...fields }, message),
    error: (fields, message) => logger.error({ requestId, ...fields }, message),
  }
}

function replyControl(reply: FastifyReply): ReplyControl {
  const control: ReplyControl = {
    status(code) {
      reply.code(code)
      return control
    },
    header(name, value) {
      reply.header(name, value)
      return control
    },
  }
  return control
}
