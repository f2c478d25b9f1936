import type { FastifyInstance } from 'fastify'
import type { ConsumerDefinition } from '../../delivery/on.ts'
import type { EventDefinition } from '../../events/event.ts'
import type { Route } from '../route.ts'
import type { RouteTable } from '../route-table.ts'
import { asyncApi } from './asyncapi.ts'
import { openApi } from './openapi.ts'
import { docsPage, pagePolicy } from './page.ts'

export interface DocsOptions {
  title: string
  version?: string
  routes: readonly Route[]
  events?: readonly EventDefinition[]
  consumers?: readonly ConsumerDefinition[]
}

/** Serves `/openapi.json`, `/asyncapi.json` and, for people, `/docs`. */
export function serveDocs(
  server: FastifyInstance,
  table: RouteTable,
  { title, version = '0', routes, events = [], consumers = [] }: DocsOptions,
): void {
  const document = openApi(routes, { title, version })
  const text = JSON.stringify(document)
  table.add('GET', '/openapi.json')
  server.get('/openapi.json', (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(text),
  )
  const messages = JSON.stringify(asyncApi({ title, version, events, consumers, routes }))
  table.add('GET', '/asyncapi.json')
  server.get('/asyncapi.json', (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(messages),
  )
  table.add('GET', '/docs')
  server.get('/docs', (request, reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', pagePolicy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .send(docsPage(document, baseOf(request.protocol, request.headers.host))),
  )
}

/** Where the reader reached us; only a plain host name is repeated. */
function baseOf(protocol: string, host: string | undefined): string {
  return `${protocol}://${host !== undefined && /^[\w.:[\]-]+$/.test(host) ? host : 'localhost'}`
}
