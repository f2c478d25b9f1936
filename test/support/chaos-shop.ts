import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { attachEmbeddedPostgres } from '../../src/adapters/embedded-postgres/attach-embedded-postgres.ts'
import { CliProcess } from './cli-process.ts'

const films = 3201
const settleMs = 30_000

/** The film shop as a process that tests kill, with what they need to know whether it kept everything. */
export class Shop {
  readonly #directory: string
  #process: CliProcess
  #url: string
  readonly #orders = new Set<string>()

  private constructor(directory: string, process: CliProcess, url: string) {
    this.#directory = directory
    this.#process = process
    this.#url = url
  }

  static async open(directory: string): Promise<Shop> {
    const { process, url } = await start(directory)
    return new Shop(directory, process, url)
  }

  /** Orders that a caller was told are placed. */
  get acknowledged(): number {
    return this.#orders.size
  }

  /** Orders, price changes over HTTP and over SQL, from several sides, while `disturb` runs. */
  async underLoad(random: () => number, disturb: () => Promise<void>): Promise<void> {
    const ending = new AbortController()
    const lanes = [
      ...Array.from({ length: 4 }, () => () => this.#order(1 + Math.floor(random() * films))),
      () => this.#reprice(1 + Math.floor(random() * films), Math.floor(random() * 2000)),
      () => this.#sql(1 + Math.floor(random() * films), Math.floor(random() * 2000)),
    ]
    const working = lanes.map(async (lane) => {
      // What fails while the shop is down was never promised.
      while (!ending.signal.aborted) await lane().catch(() => new Promise((resolve) => setTimeout(resolve, 20)))
    })
    await disturb()
    ending.abort()
    await Promise.all(working)
  }

  async kill(victim: 'app' | 'postgres' | 'both'): Promise<void> {
    const server = victim === 'app' ? undefined : this.#serverPid()
    if (victim !== 'postgres') this.#process.process.kill('SIGKILL')
    if (server !== undefined) process.kill(server, 'SIGKILL')
    if (victim === 'postgres') return
    await this.#process.ended()
    const { process: again, url } = await start(this.#directory)
    this.#process = again
    this.#url = url
  }

  /** Waits until the shop is quiet, then compares everything with everything. Throws saying what differs. */
  async agrees(when: string): Promise<void> {
    const deadline = Date.now() + settleMs
    for (;;) {
      const wrong = await this.#differences().catch((error: unknown) => [`cannot look: ${String(error)}`])
      if (wrong.length === 0) return
      if (Date.now() > deadline) throw new Error(`${when}: ${wrong.join('; ')}\n${this.#process.stderr.slice(-2000)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async close(): Promise<void> {
    this.#process.process.kill('SIGTERM')
    await this.#process.ended()
  }

  async #differences(): Promise<string[]> {
    const client = await this.#connect()
    try {
      const found = await client.query<{ name: string }>(
        "select table_name as name from millrace.search_indexes where name = 'catalog'",
      )
      const documents = found.rows[0]?.name
      const count = async (what: string, text: string, values: unknown[] = []): Promise<string[]> => {
        const { rows } = await client.query<{ wrong: string }>(text, values)
        return rows[0]?.wrong === '0' ? [] : [`${rows[0]?.wrong} ${what}`]
      }
      const wrong = [
        ...(await count(
          'acknowledged orders are gone',
          'select count(*) as wrong from unnest($1::uuid[]) id where not exists (select from orders o where o.id = id)',
          [[...this.#orders]],
        )),
        ...(await count(
          'orders without exactly one receipt',
          'select count(*) as wrong from orders o where (select count(*) from receipts r where r."order" = o.id) <> 1',
        )),
        ...(await count(
          'orders without exactly one event',
          `select count(*) as wrong from orders o full join (select data->>'order' as id, count(*) as n from millrace.events where type = 'order.placed' group by 1) e on e.id = o.id::text where o.id is null or e.n is distinct from 1`,
        )),
        ...(await count(
          'positions are missing',
          'select (select count(*) from millrace.events) - (select head from millrace.sequencer) as wrong',
        )),
        ...(await count(
          'ticks do not join',
          'select count(*) as wrong from (select base, lag(base + count) over (order by base) as before from millrace.ticks) t where before is not null and before <> base',
        )),
        ...(await count(
          'films differ from their documents',
          `select count(*) as wrong from films f full join (select * from ${documents} where document is not null) d on d.id = f.id::text
            where f.id is null or d.id is null or (d.document->>'price')::int <> f.price or (d.document->>'inStock')::boolean <> (f.stock > 0)`,
        )),
      ]
      if (wrong.length > 0) return wrong
      return await this.#cacheDifferences(client)
    } finally {
      await client.end()
    }
  }

  async #cacheDifferences(client: pg.Client): Promise<string[]> {
    const { rows } = await client.query<{ id: number; price: number; stock: number }>(
      "select id, price, stock from films where id in (select (data->>'film')::int from millrace.events where type = 'order.placed' order by ordinal desc limit 100)",
    )
    const wrong: string[] = []
    for (const row of rows) {
      const answer = await fetch(`${this.#url}/films/${row.id}`)
      const film = (await answer.json()) as { price: number; stock: number }
      if (film.price !== row.price || film.stock !== row.stock)
        wrong.push(`film ${row.id}: cache ${film.price}/${film.stock}, table ${row.price}/${row.stock}`)
    }
    return wrong
  }

  async #order(film: number): Promise<void> {
    const answer = await fetch(`${this.#url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ film, quantity: 1 }),
    })
    const body = (await answer.json()) as { order?: string }
    if (answer.status === 201 && body.order !== undefined) this.#orders.add(body.order)
    // Look at it, so that the cache holds it.
    await (await fetch(`${this.#url}/films/${film}`)).json()
  }

  async #reprice(film: number, price: number): Promise<void> {
    const answer = await fetch(`${this.#url}/films/${film}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ price }),
    })
    await answer.text()
  }

  async #sql(film: number, price: number): Promise<void> {
    const client = await this.#connect()
    try {
      await client.query('update films set price = $2, stock = stock + 1 where id = $1', [film, price])
    } finally {
      await client.end()
    }
  }

  async #connect(): Promise<pg.Client> {
    const { url } = await attachEmbeddedPostgres(this.#directory)
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
    client.on('error', () => undefined) // told by the query under way
    await client.connect()
    return client
  }

  /** First line of postmaster.pid (PostgreSQL manual, 66.1). */
  #serverPid(): number {
    return Number(readFileSync(join(this.#directory, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
  }
}

async function start(directory: string): Promise<{ process: CliProcess; url: string }> {
  const process = new CliProcess(['start', 'examples/film-shop'], { env: { MILLRACE_DIR: directory } })
  const [, url = ''] = await process.shows(/^ready (\S+)$/m)
  return { process, url }
}
