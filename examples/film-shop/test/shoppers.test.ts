import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { sendShoppers, type Tally } from '../src/shoppers.ts'

interface Asked {
  method: string
  path: string
  body: string
}

/** A shop that answers as told. */
async function openShop(answer: (asked: Asked) => number | Promise<number>) {
  const asked: Asked[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    const one = { method: String(request.method), path: String(request.url), body: await text(request) }
    asked.push(one)
    response.writeHead(await answer(one)).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** Goes home after `count` requests were due. */
async function shopping(
  url: string,
  count: number,
  options: { perSecond: number; maxInFlight?: number },
): Promise<Tally> {
  const home = new AbortController()
  setTimeout(() => home.abort(), (count / options.perSecond) * 1000)
  return sendShoppers({ url, signal: home.signal, random: seeded(7), ...options })
}

test('shoppers look, search, order and change prices at the pace asked for', async () => {
  const { url, asked } = await openShop(() => 200)
  const tally = await shopping(url, 400, { perSecond: 400 })
  expect(tally).toMatchObject({ ok: tally.sent, failed: 0, soldOut: 0 })
  expect(tally.sent).toBeGreaterThan(40) // a busy machine does less
  expect(tally.p50Ms).toBeGreaterThan(0)
  expect(tally.p95Ms).toBeGreaterThanOrEqual(tally.p50Ms)
  expect(tally.sent + tally.skipped).toBeLessThan(500)
  const kinds = new Set(asked.map(({ method, path }) => `${method} ${path.replace(/\d+$|\?.*/, '')}`))
  expect(kinds).toEqual(new Set(['GET /films/', 'GET /search', 'POST /orders', 'PATCH /films/']))
})

test('a shop that does not answer is asked no more than so often at once', async () => {
  const home = new AbortController()
  const answer = once(home.signal, 'abort').then(() => 200)
  const { url, asked } = await openShop(() => answer)
  setTimeout(() => home.abort(), 500)
  const tally = await sendShoppers({ url, perSecond: 500, maxInFlight: 5, signal: home.signal })
  expect(tally).toMatchObject({ sent: 5, ok: 5 })
  expect(asked.length).toBe(5)
  expect(tally.skipped).toBeGreaterThan(100)
})

test('what is sold out comes back', async () => {
  const { url, asked } = await openShop(({ method }) => (method === 'POST' ? 409 : 200))
  const tally = await shopping(url, 300, { perSecond: 600 })
  expect(tally.soldOut).toBeGreaterThan(0)
  const restocked = asked.filter(({ method, body }) => method === 'PATCH' && body.includes('stock'))
  expect(restocked.length).toBe(tally.soldOut)
})

test('a shop that is gone is a failure, not a crash', async () => {
  const tally = await shopping('http://127.0.0.1:1', 20, { perSecond: 200 })
  expect(tally.failed).toBe(tally.sent)
})

/** Mulberry32: the same numbers from the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
