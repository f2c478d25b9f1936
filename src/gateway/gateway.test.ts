import { afterEach, describe, expect, test } from 'vitest'
import { Signal, testGateway } from '../../test/support/gateway.ts'
import { currentPlatform } from '../kernel/binding.ts'
import { PlatformError } from '../kernel/errors.ts'
import { t } from '../kernel/schema.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { route } from './route.ts'

let gateway: Awaited<ReturnType<typeof testGateway>> | undefined
afterEach(() => gateway?.close())

async function open(options: Partial<GatewayOptions>): Promise<typeof gateway & Gateway> {
  gateway = await testGateway(options)
  return gateway
}

async function get(path: string, init?: RequestInit): Promise<{ status: number; body: unknown; headers: Headers }> {
  const answer = await fetch(`${gateway?.url}${path}`, init)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
}

const json = (body: string, type = 'application/json'): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': type },
})

const film = route('GET /films/:id', { params: { id: t.int() } }, ({ params }) =>
  params.id === 1 ? { id: 1, title: 'Star Wars' } : undefined,
)
const search = route('GET /search', { query: { q: t.string(), page: t.optional(t.int()) } }, ({ query }) => query)
const order = route(
  'POST /orders',
  { body: { film: t.int(), note: t.optional(t.string()) }, status: 201 },
  ({ body }) => body,
)

describe('a route', () => {
  test('answers what its handler returns, with typed input', async () => {
    await open({ routes: [film, search, order] })
    expect(await get('/films/1')).toMatchObject({ status: 200, body: { id: 1, title: 'Star Wars' } })
    expect(await get('/search?q=star+wars&page=2')).toMatchObject({ body: { q: 'star wars', page: 2 } })
    expect(await get('/orders', json('{"film":1}'))).toMatchObject({ status: 201, body: { film: 1 } })
    expect((await get('/films/1')).headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  test('answers 404 when a GET finds nothing and 204 when another method has nothing to say', async () => {
    await open({ routes: [film, route('DELETE /films/:id', () => undefined)] })
    expect(await get('/films/2')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND', detail: 'there is nothing at /films/2' },
    })
    expect(await get('/films/2', { method: 'DELETE' })).toMatchObject({ status: 204, body: undefined })
  })

  test('sets status and headers of its answer', async () => {
    const accepted = route('POST /jobs', ({ reply }) => {
      reply.status(202).header('location', '/jobs/1')
      return { id: 1 }
    })
    await open({ routes: [accepted] })
    const answer = await get('/jobs', { method: 'POST' })
    expect(answer.status).toBe(202)
    expect(answer.headers.get('location')).toBe('/jobs/1')
  })

  test('may send its caller elsewhere', async () => {
    const old = route('GET /movies/:id', ({ params, reply }) => {
      reply.status(308).header('location', `/films/${params.id}`)
    })
    await open({ routes: [film, old] })
    expect((await get('/movies/1')).body).toMatchObject({ title: 'Star Wars' })
  })

  test('answers HEAD like GET, without the body', async () => {
    await open({ routes: [film] })
    const answer = await get('/films/1', { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 200, body: undefined })
    expect(answer.headers.get('content-length')).toBe('28')
    expect((await get('/films/2', { method: 'HEAD' })).status).toBe(404)
  })

  test('gets the request, with an id and a trace that are safe to use', async () => {
    const echo = route('GET /echo', ({ request }) => ({
      id: request.id,
      method: request.method,
      url: request.url,
      ip: request.ip,
      traceparent: request.traceparent ?? 'none',
    }))
    await open({ routes: [echo] })
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const asked = await get('/echo', { headers: { 'x-request-id': 'request-1', traceparent: trace } })
    expect(asked.body).toEqual({ id: 'request-1', method: 'GET', url: '/echo', ip: '127.0.0.1', traceparent: trace })
    expect(asked.headers.get('x-request-id')).toBe('request-1')
    const bad = await get('/echo', { headers: { 'x-request-id': 'a "b', traceparent: '00-0-0-00' } })
    expect(bad.body).toMatchObject({ id: expect.stringMatching(/^[\da-f-]{36}$/), traceparent: 'none' })
  })

  test('runs as code of its platform', async () => {
    const platform = {}
    await open({ platform, routes: [route('GET /', () => ({ own: currentPlatform.getStore() === platform }))] })
    expect((await get('/')).body).toEqual({ own: true })
  })

  test('learns that its caller went away', async () => {
    const [started, gone] = [new Signal(), new Signal()]
    const slow = route('GET /slow', async ({ signal }) => {
      signal.addEventListener('abort', () => gone.give())
      started.give()
      await gone.given
      return {}
    })
    await open({ routes: [slow] })
    const caller = new AbortController()
    const asked = get('/slow', { signal: caller.signal })
    await started.given
    caller.abort()
    await expect(asked).rejects.toThrow()
    await gone.given
  })

  test('that answers the same requests as another is refused', async () => {
    const twice = [film, route('GET /films/:film', () => null)]
    await expect(testGateway({ routes: twice })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      message: 'route "GET /films/:film" answers the same requests as "GET /films/:id"',
    })
    await expect(testGateway({ routes: [route('GET /healthz', () => null)] })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    await expect(testGateway({ routes: [route('GET /_/mine', () => null)] })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
  })
})

describe('a response contract', () => {
  const rated = (value: unknown): ReturnType<typeof route> =>
    route('GET /rated', { response: { rating: t.number() } }, () => value as { rating: number })

  test('that is kept changes nothing', async () => {
    await open({ routes: [rated({ rating: 8.7 })] })
    expect((await get('/rated')).body).toEqual({ rating: 8.7 })
  })

  test('that is broken sends nothing of the value out', async () => {
    const { logger } = await open({ routes: [rated({ rating: 8.7, secret: 'hunter2' })] })
    const answer = await get('/rated')
    expect(answer).toMatchObject({ status: 500, body: { code: 'RESPONSE_INVALID', issues: [] } })
    expect(JSON.stringify(answer.body)).not.toContain('secret')
    expect(JSON.stringify(logger.lines)).toContain('/secret is not a known field')
  })
})

describe('input', () => {
  test.each([
    ['a path parameter of the wrong type', '/films/abc', undefined, 400, 'INPUT_INVALID', '/id'],
    ['a fraction for a whole number', '/films/1.5', undefined, 400, 'INPUT_INVALID', '/id'],
    ['an unknown query field', '/search?q=a&colour=red', undefined, 400, 'INPUT_INVALID', '/colour'],
    ['a query field given twice', '/search?q=a&q=b', undefined, 400, 'INPUT_INVALID', '/q'],
    ['a missing query field', '/search', undefined, 400, 'INPUT_INVALID', '/q'],
    ['a query of a route that takes none', '/films/1?x=1', undefined, 400, 'INPUT_INVALID', '/x'],
    ['a body of the wrong type', '/orders', json('{"film":"1"}'), 400, 'INPUT_INVALID', '/film'],
    ['an unknown body field', '/orders', json('{"film":1,"price":0}'), 400, 'INPUT_INVALID', '/price'],
    ['a body that is no object', '/orders', json('[1]'), 400, 'INPUT_INVALID', ''],
    ['a body that is missing', '/orders', { method: 'POST' }, 400, 'INPUT_INVALID', ''],
    ['an empty body', '/orders', json(''), 400, 'INPUT_INVALID', ''],
    ['a body where none is taken', '/quiet', json('{"film":1}'), 400, 'INPUT_INVALID', undefined],
    ['malformed JSON', '/orders', json('{"film":1'), 400, 'INPUT_MALFORMED', undefined],
    ['a poisoned prototype', '/orders', json('{"__proto__":{"admin":true}}'), 400, 'INPUT_MALFORMED', undefined],
    ['another media type', '/orders', json('film=1', 'text/plain'), 415, 'MEDIA_TYPE_UNSUPPORTED', undefined],
    ['a form', '/orders', json('a=1', 'application/x-www-form-urlencoded'), 415, 'MEDIA_TYPE_UNSUPPORTED', undefined],
    ['a wrong escape in the path', '/films/%E0%A4', undefined, 400, 'INPUT_MALFORMED', undefined],
    ['a very long parameter', `/films/${'1'.repeat(2000)}`, undefined, 413, 'INPUT_TOO_LARGE', undefined],
    ['a body of 10 MB', '/orders', json(`{"note":"${'x'.repeat(1e7)}"}`), 413, 'INPUT_TOO_LARGE', undefined],
  ] as const)('%s is refused', async (_name, path, init, status, code, issuePath) => {
    await open({ routes: [film, search, order, route('POST /quiet', () => null)] })
    const answer = await get(path, init)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer).toMatchObject({ status, body: { status, code, type: `urn:millrace:error:${code}` } })
    const { issues } = answer.body as { issues: { path: string }[] }
    expect(issues.map(({ path }) => path)).toEqual(issuePath === undefined ? [] : [issuePath])
  })

  test('a problem says what, where and how to mend it', async () => {
    await open({ routes: [order] })
    const { body } = await get('/orders?x=1', json('{"film":"1","price":0}'))
    expect(body).toMatchObject({ detail: 'query: /x is not a known field' })
    expect((await get('/orders', json('{"film":"1","price":0}'))).body).toEqual({
      type: 'urn:millrace:error:INPUT_INVALID',
      title: 'Input invalid',
      status: 400,
      detail: expect.stringContaining('body: '),
      code: 'INPUT_INVALID',
      hint: 'Correct the fields named in `issues`.',
      instance: '/orders',
      issues: expect.arrayContaining([
        { path: '/price', message: 'is not a known field' },
        { path: '/film', message: 'must be integer' },
      ]),
      requestId: expect.any(String),
    })
  })

  test('a route may take larger bodies than others', async () => {
    const large = route('POST /upload', { body: { note: t.string() }, bodyLimit: 2e7 }, ({ body }) => ({
      length: body.note.length,
    }))
    await open({ routes: [large] })
    expect((await get('/upload', json(`{"note":"${'x'.repeat(1e7)}"}`))).body).toEqual({ length: 1e7 })
  })

  test('a refused body without a length leaves the gateway usable', async () => {
    await open({ routes: [film, order] })
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    })
    const init: RequestInit = { ...json(''), body: endless, duplex: 'half' }
    const outcome = await get('/orders', init).catch((error: unknown) => error)
    if (!(outcome instanceof Error)) expect(outcome).toMatchObject({ status: 413 })
    expect((await get('/films/1')).status).toBe(200)
  })
})

describe('what no route takes', () => {
  test('is 404 for unknown paths and 405 with the known methods for unknown methods', async () => {
    await open({ routes: [film] })
    expect(await get('/nowhere')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', instance: '/nowhere' } })
    const answer = await get('/films/1', { method: 'PUT' })
    expect(answer).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED', hint: 'Use GET or HEAD.' } })
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    expect((await get('/films/1', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })
})

describe('a failure of the server', () => {
  const fail = (error: unknown): ReturnType<typeof route> =>
    route('GET /fail', { query: { token: t.optional(t.string()) } }, () => {
      throw error
    })

  test('tells the caller nothing inner, and the log everything', async () => {
    const { logger } = await open({ routes: [fail(new Error('password hunter2 is wrong'))] })
    const { status, body } = await get('/fail?token=hunter3')
    expect(status).toBe(500)
    expect(body).toMatchObject({ code: 'INTERNAL', instance: '/fail' })
    expect(JSON.stringify(body)).not.toMatch(/hunter|\.ts/)
    const [line] = logger.lines
    expect(line).toMatchObject({
      level: 'error',
      fields: { requestId: (body as { requestId: string }).requestId, method: 'GET', path: '/fail' },
    })
    expect(JSON.stringify(line)).toContain('hunter2')
    expect(JSON.stringify(line)).not.toContain('hunter3')
  })

  test('tells its message only when asked to', async () => {
    const error = new PlatformError('LOAD_FAILED', 'cannot load film 1 from db.internal')
    await open({ routes: [fail(error)] })
    expect(JSON.stringify((await get('/fail')).body)).not.toContain('db.internal')
    await gateway?.close()
    await open({ routes: [fail(error)], tellFailures: true })
    expect((await get('/fail')).body).toMatchObject({ status: 503, code: 'LOAD_FAILED', detail: error.message })
  })

  test('may be anything that was thrown', async () => {
    await open({ routes: [fail('text'), route('GET /null', () => Promise.reject(null))] })
    expect(await get('/fail')).toMatchObject({ status: 500, body: { code: 'INTERNAL' } })
    expect(await get('/null')).toMatchObject({ status: 500, body: { code: 'INTERNAL' } })
  })

  test('includes values that are no JSON', async () => {
    await open({ routes: [route('GET /big', () => ({ n: 1n }))] })
    expect(await get('/big')).toMatchObject({ status: 500, body: { code: 'INTERNAL' } })
  })

  test('of the caller is told in full', async () => {
    await open({ routes: [fail(new PlatformError('CONFLICT', 'Star Wars is out of stock'))] })
    expect(await get('/fail')).toMatchObject({ status: 409, body: { detail: 'Star Wars is out of stock' } })
  })
})
