import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { eventFilter } from './fake-log.ts'
import { fakeStream } from './fake-stream.ts'
import { FakeWorld, type FakeWorldOptions } from './fake-world.ts'

export interface FakeServerOptions extends FakeWorldOptions {
  /** @default 0: any free port */
  port?: number
  /** New events a second by themselves. @default 0 */
  eventsPerSecond?: number
  /** Answer 401 to everything, as to a reader who is not signed in. @default false */
  locked?: boolean
}
export interface FakeServer {
  /** Such as `http://127.0.0.1:41233`. */
  url: string
  world: FakeWorld
  /** The live streams that are open just now, by what they ask for. */
  streams: ReadonlySet<string>
  close(): Promise<void>
}

const built = join(import.meta.dirname, '../../dist/console')
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** As strict as the gateway, so that what it forbids is found here. */
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'"

/** Serves the built console and made-up answers to its contract. For development and the browser tests only. */
export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const world = new FakeWorld(options)
  const streams = new Set<string>()
  const server = createServer((request, response) => {
    answer(world, streams, options.locked ?? false, request, response).catch((error: unknown) => {
      problem(response, 500, 'INTERNAL', String(error))
    })
  })
  await new Promise<void>((listening) => server.listen(options.port ?? 0, '127.0.0.1', listening))
  const perSecond = options.eventsPerSecond ?? 0
  const timer = perSecond > 0 ? setInterval(() => world.append(), 1_000 / perSecond) : undefined
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    world,
    streams,
    close: async () => {
      clearInterval(timer)
      await closeServer(server)
    },
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((closed) => server.close(() => closed()))
}

async function answer(
  world: FakeWorld,
  streams: Set<string>,
  locked: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const operation = /^\/_\/api\/([a-z]+)$/.exec(url.pathname)?.[1]
  if (operation === undefined) return await serveFile(url.pathname, response)
  if (locked) return problem(response, 401, 'UNAUTHENTICATED', 'Sign in first.')
  if (operation === 'stream') {
    const name = `${streams.size} ${url.search}`
    streams.add(name)
    response.on('close', () => streams.delete(name))
    return fakeStream(world, url.searchParams, response)
  }
  if (operation === 'emit') return await emit(world, request, response)
  const output = run(world, operation, url.searchParams)
  if (output === undefined) return problem(response, 404, 'NOT_FOUND', `There is no ${operation} at this position.`)
  send(response, 200, output)
}

function run(world: FakeWorld, operation: string, params: URLSearchParams): unknown {
  const position = Number(params.get('position'))
  switch (operation) {
    case 'overview':
      return world.overview()
    case 'topology':
      return world.topology()
    case 'consumers':
      return world.consumers()
    case 'event':
      return world.event(position)
    case 'journey':
      return world.journey(position)
    case 'events':
      return world.log.page({
        ...eventFilter(params),
        ...(params.has('before') && { before: Number(params.get('before')) }),
        ...(params.has('limit') && { limit: Number(params.get('limit')) }),
      })
    // Failures and replays are tested on a real app (test/browser/failed.test.ts).
    case 'failures':
    case 'replays':
      return []
    default:
      return undefined
  }
}

async function emit(world: FakeWorld, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const { event, data } = JSON.parse(body) as { event: string; data: Record<string, unknown> }
  const key = data['film'] === undefined ? null : String(data['film'])
  const { position } = world.append({ type: event, key, data })
  send(response, 200, { id: `fake-${position}` })
}

async function serveFile(pathname: string, response: ServerResponse): Promise<void> {
  const path = normalize(pathname.replace(/^\/_\/?/, ''))
  if (path.startsWith('..')) return problem(response, 404, 'NOT_FOUND', 'No such file.')
  const asset = extname(path) !== ''
  const file = join(built, asset ? path : 'index.html')
  try {
    const body = await readFile(file)
    const type = types[extname(file)] ?? 'application/octet-stream'
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body)
  } catch {
    problem(response, 404, 'NOT_FOUND', `${path} is not built: npm run build -w console`)
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function problem(response: ServerResponse, status: number, code: string, detail: string): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ title: code, status, code, detail, hint: 'This is the fake server.' }))
}
