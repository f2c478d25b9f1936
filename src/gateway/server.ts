import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { type ErrorCode, PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { bodyParser } from './body-parser.ts'
import { problemOf } from './problem.ts'
import { requestId } from './request-info.ts'
import { sendProblem } from './send.ts'

/** What one request may take. */
export interface Limits {
  /** Bytes of a body, unless its route says otherwise. */
  bodyBytes: number
  /** Time for the head of a request, and for all of it. */
  headersMs: number
  requestMs: number
}

export interface ServerOptions {
  limits: Limits
  logger: Logger
  tellFailures: boolean
}

/** Fastify as the gateway uses it: JSON only, strict, every error a problem document. No routes yet. */
export function makeServer({ limits, logger, tellFailures }: ServerOptions): FastifyInstance {
  const telling = { logger, tellFailures }
  const server: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    // A slow head is noticed only when Node looks: every `connectionsCheckingInterval`, 30 s unless told.
    http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: Math.min(limits.headersMs, 5000) },
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: requestId,
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, telling),
    clientErrorHandler: refuseConnection,
  })
  server.removeAllContentTypeParsers()
  const parseBody = bodyParser(server)
  server.addContentTypeParser('application/json', { parseAs: 'string' }, parseBody)
  server.addContentTypeParser(/^application\/[\w.-]+\+json$/, { parseAs: 'string' }, parseBody)
  server.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, telling))
  return server
}

const clientErrors: Partial<Record<string, [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['REQUEST_HEADERS_TOO_LARGE', 'the headers of the request are too large'],
}

/** Answers what is no readable HTTP request; there is no request object to answer through. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const [code, message] = clientErrors[error.code ?? ''] ?? ['INPUT_MALFORMED', 'this is no HTTP request']
  const id = requestId({ headers: {} })
  const problem = problemOf(new PlatformError(code, message), { id, url: '' }, false)
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
