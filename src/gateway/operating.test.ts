import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Signal, testGateway } from '../../test/support/gateway.ts'
import { t } from '../kernel/schema.ts'
import { route } from './route.ts'

let gateway: Awaited<ReturnType<typeof testGateway>> | undefined
afterEach(() => gateway?.close())

describe('health', () => {
  test('is ok while no check fails', async () => {
    const warning = { name: 'slot', status: 'warning' as const, message: 'is behind' }
    gateway = await testGateway({ health: () => [warning] })
    const answer = await fetch(`${gateway.url}/healthz`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'ok' })
  })

  test('names the checks that fail', async () => {
    const error = { name: 'postgres', status: 'error' as const, message: 'cannot be reached' }
    gateway = await testGateway({ health: async () => [{ name: 'log', status: 'ok', message: 'is up' }, error] })
    const answer = await fetch(`${gateway.url}/healthz`)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({ status: 'failing', checks: [error] })
  })

  test('fails when it cannot be looked at', async () => {
    gateway = await testGateway({ health: () => Promise.reject(new Error('no answer')) })
    const answer = await fetch(`${gateway.url}/healthz`)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ status: 'failing', checks: [{ message: 'no answer' }] })
  })
})

test('metrics count requests by route and class of status, and measure the process', async () => {
  const film = route('GET /films/:id', { params: { id: t.int() } }, () => ({}))
  gateway = await testGateway({ routes: [film] })
  for (const path of ['/films/1', '/films/2', '/films/x', '/nowhere/1', '/nowhere/2']) {
    await (await fetch(gateway.url + path)).text()
  }
  const text = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(text).toContain('millrace_http_requests_total{method="GET",route="/films/:id",status="2xx"} 2\n')
  expect(text).toContain('millrace_http_requests_total{method="GET",route="/films/:id",status="4xx"} 1\n')
  expect(text).toContain('millrace_http_requests_total{method="any",route="unmatched",status="4xx"} 2\n')
  expect(text).toContain('millrace_http_request_seconds_count{method="GET",route="/films/:id"} 3\n')
  expect(text).toMatch(/millrace_process_resident_memory_bytes \d{7,}\n/)
  expect(text).toMatch(/millrace_event_loop_delay_p99_seconds [\de.-]+\n/)
})

describe('closing', () => {
  test('lets a running request finish and takes no new ones', async () => {
    const [started, release] = [new Signal(), new Signal()]
    const slow = route('GET /slow', async () => {
      started.give()
      await release.given
      return { done: true }
    })
    const { url, close } = await testGateway({ routes: [slow] })
    const answer = fetch(`${url}/slow`)
    await started.given
    const closed = close()
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    release.give()
    expect(await (await answer).json()).toEqual({ done: true })
    await closed
  })

  test('does not wait for idle and unused connections', async () => {
    const { url, port, close } = await testGateway()
    await (await fetch(`${url}/healthz`)).text()
    const unused = connect(port, '127.0.0.1')
    await new Promise((resolve) => unused.once('connect', resolve))
    const begun = performance.now()
    await close()
    expect(performance.now() - begun).toBeLessThan(1500)
  })

  test('aborts and then cuts what does not finish in time', async () => {
    const [started, aborted] = [new Signal(), new Signal()]
    const stuck = route('GET /stuck', async ({ signal }) => {
      signal.addEventListener('abort', () => aborted.give())
      started.give()
      return new Promise(() => undefined)
    })
    const { url, close } = await testGateway({ routes: [stuck] })
    const answer = fetch(`${url}/stuck`).catch((error: unknown) => error)
    await started.given
    const begun = performance.now()
    await close()
    await aborted.given
    expect(performance.now() - begun).toBeLessThan(4000)
    expect(await answer).toBeInstanceOf(Error)
  })
})

describe('a caller', () => {
  test('that sends its head too slowly is answered 408', async () => {
    gateway = await testGateway({ limits: { headersMs: 100 } })
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write('GET /healthz HTTP/1.1\r\nhost: lo')
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/)
  })

  test('that sends its body too slowly is cut off', async () => {
    const order = route('POST /orders', { body: { film: t.int() } }, () => null)
    gateway = await testGateway({ limits: { headersMs: 100, requestMs: 200 }, routes: [order] })
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write(
      'POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    )
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/)
  })

  test('that does not speak HTTP gets a problem', async () => {
    gateway = await testGateway()
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write('hello\r\n\r\n')
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INPUT_MALFORMED"/)
  })

  test('that sends too many headers gets a problem', async () => {
    gateway = await testGateway()
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${gateway?.url}/healthz`, { headers: { 'x-long': 'x'.repeat(20_000) } })
      asked.once('response', (answer) => resolve(answer.statusCode))
      asked.once('error', reject)
      asked.end()
    })
    expect(status).toBe(431)
  })
})

test('a port that is taken is named', async () => {
  gateway = await testGateway()
  await expect(testGateway({ port: gateway.port })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: `cannot listen on 127.0.0.1:${gateway.port}: the port is taken`,
  })
})

async function textOf(socket: ReturnType<typeof connect>): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}
