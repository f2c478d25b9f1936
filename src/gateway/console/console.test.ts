import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testGateway } from '../../../test/support/gateway.ts'
import { PlatformError } from '../../kernel/errors.ts'
import { compileSchema, t } from '../../kernel/schema.ts'
import type { Operation } from './operations.ts'

const token = 'a-token-that-is-long-enough'
const bearer = { authorization: `Bearer ${token}` }

const film: Operation = {
  name: 'film',
  kind: 'query',
  input: compileSchema({ id: t.int() }),
  run: async (input) => ({ asked: input }),
}
const emit: Operation = {
  name: 'emit',
  kind: 'command',
  input: compileSchema({ event: t.string() }),
  run: async (input) => ({ did: input }),
}
const broken: Operation = {
  name: 'broken',
  kind: 'query',
  input: compileSchema({}),
  run: async () => {
    throw new PlatformError('STORE_UNREACHABLE', 'cannot reach db.internal')
  },
}

const page = '<!doctype html><script>theme()</script><script type="module" src="/_/assets/index-BhT3xk2_.js"></script>'
let folder: string
let gateway: Awaited<ReturnType<typeof testGateway>>

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-console-'))
  folder = join(root, 'built')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(root, 'secret.txt'), 'secret')
  await writeFile(join(folder, 'index.html'), page)
  await writeFile(join(folder, 'favicon.svg'), '<svg/>')
  await writeFile(join(folder, 'assets', 'index-BhT3xk2_.js'), 'run()')
})
afterAll(() => rm(join(folder, '..'), { recursive: true }))

const live = { topics: ['events'], filter: compileSchema({}), subscribe: () => () => undefined }

beforeEach(async () => {
  gateway = await testGateway({ console: { folder, operations: [film, emit, broken], live, token } })
})
afterEach(() => gateway.close())

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(gateway.url + path, { redirect: 'manual', ...init })

async function cookie(): Promise<string> {
  const answer = await get(`/_/?t=${token}`)
  return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
}

/** Sends what fetch would tidy up: a path or a Host as given. */
function raw(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port: gateway.port, path, headers }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += String(chunk)
      resolve({ status: answer.statusCode ?? 0, text })
    })
    asked.once('error', reject)
    asked.end()
  })
}

describe('signing in', () => {
  test('exchanges the token for a cookie and leads to the same address without it', async () => {
    const answer = await get(`/_/e/42?tab=data&t=${token}`)
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/_/e/42?tab=data')
    const given = answer.headers.get('set-cookie') ?? ''
    expect(given).toMatch(
      new RegExp(`^millrace_console_${gateway.port}=[\\w-]{43}; Path=/_/; HttpOnly; SameSite=Strict$`),
    )
    expect(given).not.toContain(token)
    const signedIn = await get('/_/e/42?tab=data', { headers: { cookie: `other=1; ${given.split(';')[0]}` } })
    expect(await signedIn.text()).toBe(page)
  })

  test('is explained to those who are not', async () => {
    const answer = await get('/_/e/42')
    expect(answer.status).toBe(401)
    expect(await answer.text()).toContain('Open the link that the app printed')
    const stale = await get('/_/?t=wrong')
    expect(stale.status).toBe(401)
    expect(await stale.text()).toContain('This link is out of date')
  })

  test('never leads to another host', async () => {
    const { status } = await raw(`/_/..//example.com?t=${token}`)
    expect(status).toBe(303)
    const answer = await get(`/_//example.com/?t=${token}`)
    expect(new URL(answer.headers.get('location') ?? '', gateway.url).origin).toBe(gateway.url)
  })

  test('leaves the token out of the log and of every answer', async () => {
    await get(`/_/?t=${token}`)
    await get(`/_/api/broken?t=${token}`, { headers: bearer })
    const problem = await get(`/_/api/film?t=${token}`, { headers: bearer })
    expect(JSON.stringify(gateway.logger.lines)).not.toContain(token)
    expect(await problem.text()).not.toContain(token)
  })

  test('takes a random token when none is given', async () => {
    const other = await testGateway({ console: { folder, operations: [], live } })
    expect(other.consoleToken).toMatch(/^[\w-]{32}$/)
    expect((await fetch(`${other.url}/_/?t=${other.consoleToken}`, { redirect: 'manual' })).status).toBe(303)
    await other.close()
  })

  test('refuses a token that could be guessed', async () => {
    const weak = testGateway({ console: { folder, operations: [], live, token: 'short' } })
    await expect(weak).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('an operation', () => {
  test('is refused without a sign-in, whether it exists or not', async () => {
    for (const path of ['/_/api/film?id=1', '/_/api/nothing', '/_/api/stream?topics=events']) {
      const answer = await get(path)
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ code: 'UNAUTHENTICATED' })
    }
    expect((await get('/_/api/film?id=1', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
    expect((await get('/_/api/film?id=1', { headers: { cookie: `millrace_console_${gateway.port}=x` } })).status).toBe(
      401,
    )
  })

  test('that asks is a GET with flat fields', async () => {
    const answer = await get('/_/api/film?id=1', { headers: bearer })
    expect(await answer.json()).toEqual({ asked: { id: 1 } })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const wrong = await get('/_/api/film?id=one', { headers: bearer })
    expect(await wrong.json()).toMatchObject({ status: 400, issues: [{ path: '/id' }] })
  })

  test('that acts is a POST of JSON', async () => {
    const init = { method: 'POST', body: '{"event":"a"}', headers: { ...bearer, 'content-type': 'application/json' } }
    expect(await (await get('/_/api/emit', init)).json()).toEqual({ did: { event: 'a' } })
    const asked = await get('/_/api/emit', { headers: bearer })
    expect(asked.status).toBe(405)
    expect(asked.headers.get('allow')).toBe('POST, OPTIONS')
    expect((await get('/_/api/nothing', { headers: bearer })).status).toBe(404)
  })

  test('that fails tells why', async () => {
    const answer = await get('/_/api/broken', { headers: bearer })
    expect(await answer.json()).toMatchObject({ status: 503, detail: 'cannot reach db.internal' })
  })

  test.each([
    ['our own page, as browsers say', 200, { 'sec-fetch-site': 'same-origin' }],
    ['our own page, by its origin', 200, { origin: 'own' }],
    ['another port of this host', 403, { 'sec-fetch-site': 'same-site', origin: 'own' }],
    ['another site', 403, { 'sec-fetch-site': 'cross-site' }],
    ['another origin', 403, { origin: 'http://localhost:3000' }],
    ['a sandboxed page', 403, { origin: 'null' }],
    ['nobody knows where', 403, {}],
  ])('by cookie, from %s: %i', async (_name, status, headers: Record<string, string>) => {
    const origin = headers['origin'] === 'own' ? { origin: gateway.url } : {}
    const answer = await get('/_/api/emit', {
      method: 'POST',
      body: '{"event":"a"}',
      headers: { 'content-type': 'application/json', cookie: await cookie(), ...headers, ...origin },
    })
    expect(answer.status).toBe(status)
  })
})

describe('the host name', () => {
  test.each([
    ['localhost:4400', 200],
    ['shop.localhost', 200],
    ['127.0.0.1', 200],
    ['127.9.9.9:80', 200],
    ['[::1]:4400', 200],
    ['evil.example', 421],
    ['localhost.evil.example:4400', 421],
    ['127.0.0.1.evil.example', 421],
    ['10.0.0.5', 421],
  ])('%s: %i', async (host, status) => {
    expect((await raw('/_/api/film?id=1', { ...bearer, host })).status).toBe(status)
  })

  test('may be allowed by name', async () => {
    await gateway.close()
    gateway = await testGateway({
      console: { folder, operations: [film], live, token, allowedHosts: ['console.example'] },
    })
    expect((await raw('/_/api/film?id=1', { ...bearer, host: 'console.example:443' })).status).toBe(200)
  })

  test('does not matter outside the console', async () => {
    expect((await raw('/healthz', { host: 'shop.example' })).status).toBe(200)
  })
})

describe('a file', () => {
  test('has its type, and is kept for ever when its name tells its content', async () => {
    const script = await get('/_/assets/index-BhT3xk2_.js')
    expect(await script.text()).toBe('run()')
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(script.headers.get('x-content-type-options')).toBe('nosniff')
    const icon = await get('/_/favicon.svg')
    expect(icon.headers.get('content-type')).toBe('image/svg+xml')
    expect(icon.headers.get('cache-control')).toBe('no-cache')
  })

  test('that was not built is 404', async () => {
    expect((await get('/_/assets/other-12345678.js')).status).toBe(404)
  })

  test.each([
    '/_/../secret.txt',
    '/_/..%2fsecret.txt',
    '/_/%2e%2e/secret.txt',
    '/_/assets/..%5c..%5csecret.txt',
    '/_/assets/../../secret.txt',
    '/_/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd',
    '/_//etc/passwd',
    '/_/%00secret.txt',
    '/_/secret.txt%00',
  ])('outside the folder cannot be had: %s', async (path) => {
    const answer = await raw(path, { cookie: await cookie() })
    expect(answer.text).not.toMatch(/secret$|root:/)
  })

  test('is the page itself for every address of a page, under a strict policy', async () => {
    const answer = await get('/_/consumers/receipts', { headers: { cookie: await cookie() } })
    expect(await answer.text()).toBe(page)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'; script-src 'self' 'sha256-")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    expect((await get('/_')).headers.get('location')).toBe('/_/')
  })

  test('that is missing because nothing was built says so', async () => {
    await gateway.close()
    gateway = await testGateway({ console: { folder: join(folder, 'nothing'), operations: [], live, token } })
    const answer = await get('/_/', { headers: { cookie: await cookie() } })
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('npm run build')
  })
})

test('without a console nothing is served below /_/', async () => {
  const { url, close, consoleToken } = await testGateway()
  expect(consoleToken).toBeUndefined()
  expect((await fetch(`${url}/_/`)).status).toBe(404)
  await close()
})
