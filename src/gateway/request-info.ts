import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { uuidv7 } from '../kernel/ids.ts'
import type { RequestInfo } from './context.ts'

/** A request id of the caller is taken only when it is safe to log and to send back. */
const usableId = /^[\w.:-]{8,64}$/

export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && usableId.test(given) ? given : uuidv7()
}

/** W3C Trace Context, 3.2: version ff and ids of zeros are invalid. */
const validTraceparent = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/

/** The view of a Fastify request that handlers get; each part is read when asked for. */
export class RequestView implements RequestInfo {
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest) {
    this.#request = request
  }

  get id(): string {
    return this.#request.id
  }
  get method(): string {
    return this.#request.method
  }
  get url(): string {
    return this.#request.url
  }
  get headers(): IncomingHttpHeaders {
    return this.#request.headers
  }
  get ip(): string {
    return this.#request.ip
  }
  get traceparent(): string | undefined {
    const given = this.#request.headers['traceparent']
    return typeof given === 'string' && validTraceparent.test(given) ? given : undefined
  }
}
