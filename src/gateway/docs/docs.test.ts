import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterEach, describe, expect, test } from 'vitest'
import { testGateway } from '../../../test/support/gateway.ts'
import { t } from '../../kernel/schema.ts'
import { route } from '../route.ts'
import type { ApiDocument } from './openapi.ts'

let gateway: Awaited<ReturnType<typeof testGateway>> | undefined
afterEach(() => gateway?.close())

const film = t.object({ id: t.int(), title: t.string(), released: t.nullable(t.date()), tags: t.array(t.string()) })
const routes = [
  route(
    'GET /films/:id',
    { params: { id: t.int({ minimum: 1 }) }, response: film, summary: 'One film <script>alert(1)</script>' },
    () => undefined,
  ),
  route('PATCH /films/:id', { params: { id: t.int() }, body: { price: t.int({ minimum: 0 }) } }, ({ body }) => body),
  route('GET /search', { query: { q: t.string(), kind: t.optional(t.oneOf('film', 'series')) } }, ({ query }) => query),
  route('POST /orders', { body: { film: t.int(), note: t.string() }, status: 201 }, ({ body }) => body),
  route('DELETE /films/:id', { status: 204 }, () => undefined),
  route('GET /', () => ({})),
]

async function document(): Promise<ApiDocument> {
  const answer = await fetch(`${gateway?.url}/openapi.json`)
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  return (await answer.json()) as ApiDocument
}

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    gateway = await testGateway({ title: 'film-shop', version: '1.2.3', routes })
    const result = await new Validator().validate({ ...(await document()) })
    expect(result).toMatchObject({ valid: true })
    expect((await document()).info).toEqual({ title: 'film-shop', version: '1.2.3' })
  })

  test('is valid without routes', async () => {
    gateway = await testGateway()
    expect(await new Validator().validate({ ...(await document()) })).toMatchObject({ valid: true })
  })

  test('describes what a route takes and gives', async () => {
    gateway = await testGateway({ routes })
    const { paths } = await document()
    expect(Object.keys(paths)).toEqual(['/films/{id}', '/search', '/orders', '/'])
    expect(paths['/films/{id}']?.['get']).toMatchObject({
      operationId: 'getFilmsById',
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
      responses: { 200: {}, 400: {}, 404: { $ref: '#/components/responses/Problem' } },
    })
    expect(paths['/search']?.['get']?.parameters).toEqual([
      { name: 'q', in: 'query', required: true, schema: { type: 'string' } },
      { name: 'kind', in: 'query', required: false, schema: { enum: ['film', 'series'] } },
    ])
    expect(paths['/orders']?.['post']?.requestBody?.content['application/json']?.schema).toEqual({
      type: 'object',
      required: ['film', 'note'],
      properties: { film: { type: 'integer' }, note: { type: 'string' } },
      additionalProperties: false,
    })
    expect(Object.keys(paths['/orders']?.['post']?.responses ?? {})).toEqual(['201', '400', '413', '415', 'default'])
  })

  test('keeps our own notes to itself', async () => {
    gateway = await testGateway({ routes })
    expect(JSON.stringify(await document())).not.toContain('x-postgres')
  })
})

describe('the documentation page', () => {
  test('shows every route and escapes what it shows', async () => {
    gateway = await testGateway({ title: '<b>shop</b>', routes })
    const answer = await fetch(`${gateway.url}/docs`)
    const page = await answer.text()
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    for (const id of ['getFilmsById', 'patchFilmsById', 'getSearch', 'postOrders', 'getRoot', 'errors']) {
      expect(page).toContain(`id="${id}"`)
    }
    expect(page).toContain('One film &lt;script&gt;alert(1)&lt;/script&gt;')
    expect(page).not.toContain('<script>alert')
    expect(page).not.toContain('<b>shop')
  })

  test('runs nothing but its own style and script', async () => {
    gateway = await testGateway({ routes })
    const policy = (await fetch(`${gateway.url}/docs`)).headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; /)
  })

  test('gives commands that work in a shell as they stand', async () => {
    gateway = await testGateway({ routes })
    const page = await (await fetch(`${gateway.url}/docs`)).text()
    const commands = [...page.matchAll(/<code>(curl [\s\S]*?)<\/code>/g)].map(([, text = '']) => plain(text))
    expect(commands).toHaveLength(6)
    const outputs = await Promise.all(commands.map((command) => run('sh', ['-c', `${command} -sS -w '%{http_code}'`])))
    expect(outputs.map(({ stdout }) => stdout.slice(-3))).toEqual(['404', '200', '204', '200', '201', '200'])
  })
})

const run = promisify(execFile)

function plain(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}
