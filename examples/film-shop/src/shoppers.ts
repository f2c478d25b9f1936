import { setTimeout as sleep } from 'node:timers/promises'
import { filmsByFame, readFilms } from './data.ts'

export interface ShoppersOptions {
  /** Where the shop answers, such as `http://127.0.0.1:4400`. */
  url: string
  /** Requests a second. */
  perSecond: number
  /** The shoppers go home when it aborts. */
  signal: AbortSignal
  /** Requests under way at most: what is due beyond is skipped, and counted. @default 100 */
  maxInFlight?: number
  /** In [0, 1). Fix it to send the same requests again. @default Math.random */
  random?: () => number
}

/** What came of the requests so far. */
export interface Tally {
  sent: number
  ok: number
  /** Orders that found too little in stock. */
  soldOut: number
  failed: number
  /** Due, but too many were under way: the shop is slower than its shoppers. */
  skipped: number
  /** Of the last 1,000 answers, in milliseconds. */
  p50Ms: number
  p95Ms: number
}

/** One request of a shopper. */
interface Errand {
  method: 'GET' | 'PATCH' | 'POST'
  path: string
  body?: object
}

const paceMs = 10
const requestTimeoutMs = 10_000

/**
 * Sends shoppers into the shop at a steady pace, however fast it answers: they search, look, order, and now and then
 * somebody changes a price. Tells after each second how it went; resolves when all have gone home.
 */
export async function sendShoppers(options: ShoppersOptions, tell: (tally: Tally) => void = () => {}): Promise<Tally> {
  const { perSecond, signal, maxInFlight = 100 } = options
  const shop = new Shop(options)
  const startedAt = performance.now()
  let due = 0
  let told = startedAt
  while (!signal.aborted) {
    const now = performance.now()
    const owed = Math.floor(((now - startedAt) / 1000) * perSecond)
    for (; due < owed; due += 1) {
      if (shop.inFlight < maxInFlight) shop.visit()
      else shop.skip()
    }
    if (now - told >= 1000) {
      told = now
      tell(shop.tally())
    }
    await sleep(paceMs)
  }
  await shop.closed()
  return shop.tally()
}

class Shop {
  readonly #url: string
  readonly #random: () => number
  readonly #errands: () => Errand
  readonly #visits = new Set<Promise<void>>()
  readonly #lastMs: number[] = []
  #finished = 0
  readonly #counts = { sent: 0, ok: 0, soldOut: 0, failed: 0, skipped: 0 }

  constructor({ url, random = Math.random }: ShoppersOptions) {
    this.#url = url
    this.#random = random
    this.#errands = errands(this.#random)
  }

  get inFlight(): number {
    return this.#visits.size
  }

  visit(): void {
    const visit = this.#run(this.#errands()).finally(() => this.#visits.delete(visit))
    this.#visits.add(visit)
  }

  skip(): void {
    this.#counts.skipped += 1
  }

  async closed(): Promise<void> {
    await Promise.all(this.#visits)
  }

  tally(): Tally {
    const sorted = [...this.#lastMs].sort((a, b) => a - b)
    const at = (q: number): number => Math.round((sorted[Math.ceil(q * sorted.length) - 1] ?? 0) * 10) / 10
    return { ...this.#counts, p50Ms: at(0.5), p95Ms: at(0.95) }
  }

  /** Never rejects: a shop that does not answer is a failed errand. */
  async #run(errand: Errand): Promise<void> {
    const counts = this.#counts
    const startedAt = performance.now()
    counts.sent += 1
    try {
      const status = await this.#request(errand)
      if (status < 400) counts.ok += 1
      else if (status === 409) counts.soldOut += 1
      else counts.failed += 1
      if (status === 409) await this.#restock(errand)
    } catch {
      counts.failed += 1
    }
    this.#lastMs[this.#finished % 1000] = performance.now() - startedAt
    this.#finished += 1
  }

  /** Nobody wants an empty shop: what is sold out comes back. */
  async #restock({ body }: Errand): Promise<void> {
    const film: unknown = body === undefined ? undefined : Reflect.get(body, 'film')
    await this.#request({
      method: 'PATCH',
      path: `/films/${film}`,
      body: { stock: 20 + Math.floor(this.#random() * 80) },
    })
  }

  async #request({ method, path, body }: Errand): Promise<number> {
    const response = await fetch(new URL(path, this.#url), {
      method,
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    await response.arrayBuffer()
    return response.status
  }
}

/** What shoppers want next: out of a hundred, 55 look at a film, 35 search, 7 order, and 3 times a price changes. */
function errands(random: () => number): () => Errand {
  const films = readFilms()
  const byFame = filmsByFame()
  // Zipf's law, roughly: the film of rank r is asked for about 1 / r as often as the first.
  const someFilm = (): number => byFame[Math.floor(byFame.length ** random()) - 1] ?? 1
  const filmOf = (id: number) => films[id - 1]
  return () => {
    const chance = random()
    const id = someFilm()
    if (chance < 0.55) return { method: 'GET', path: `/films/${id}` }
    if (chance < 0.9)
      return { method: 'GET', path: `/search?q=${encodeURIComponent(asTyped(filmOf(id)?.title ?? '', random))}` }
    if (chance < 0.97)
      return { method: 'POST', path: '/orders', body: { film: id, quantity: 1 + Math.floor(random() * 2) } }
    const price = Math.round(((filmOf(id)?.price ?? 999) * (0.8 + 0.4 * random())) / 10) * 10 - 1
    return { method: 'PATCH', path: `/films/${id}`, body: { price } }
  }
}

/** One or two words of a title, in a hurry: every fifth time two letters change places. */
function asTyped(title: string, random: () => number): string {
  const words = title
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 2)
  const start = Math.floor(random() * words.length)
  const text = words.slice(start, start + 1 + Math.floor(random() * 2)).join(' ') || title
  if (text.length < 5 || random() > 0.2) return text
  const i = 1 + Math.floor(random() * (text.length - 3))
  return text.slice(0, i) + text.charAt(i + 1) + text.charAt(i) + text.slice(i + 2)
}
