import type { IncomingHttpHeaders } from 'node:http'
import type { Publish } from '../events/publish.ts'
import type { EventMeta } from '../events/record.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Sql } from '../store/sql.ts'

/**
 * What a handler reaches of the platform, which makes one for each request. Handlers take these apart, so none may
 * depend on `this`.
 */
export interface HandlerContext {
  /** Runs each statement by itself. */
  readonly sql: Sql
  /** Everything done through `sql` and `publish` of one work commits together or not at all. */
  readonly transaction: <T>(
    work: (transaction: { sql: Sql; publish: Publish; origin: EventMeta }) => Promise<T>,
  ) => Promise<T>
  readonly publish: Publish
}

/** Makes the part of a handler's context that comes from the platform. */
export type ContextFactory = (request: RequestInfo) => HandlerContext

/** The request as it came. */
export interface RequestInfo {
  /** From `x-request-id` where the caller sent a usable one; in every answer and log line. */
  readonly id: string
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly ip: string
  /** W3C Trace Context, when the caller sent a valid one. */
  readonly traceparent: string | undefined
}

/** Changes the answer beyond its JSON. */
export interface ReplyControl {
  status(code: number): ReplyControl
  header(name: string, value: string): ReplyControl
}

/** What a route's handler gets: the checked input, the request and the platform. */
export interface RouteContext<Params = unknown, Query = unknown, Body = unknown> extends HandlerContext {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: RequestInfo
  /** Adds the request's id to each line. */
  readonly log: Logger
  /** Aborts when the caller goes away or the gateway's time to close is over. */
  readonly signal: AbortSignal
  readonly reply: ReplyControl
}
