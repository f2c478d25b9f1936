import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PlatformError } from '../../src/kernel/errors.ts'
import type { RunningApp } from '../../src/platform/running-app.ts'
import { account, attempts, type Data, did, type How, hows, noted, untilMended } from './chaos-app.ts'
import type { AskedEvent, History, Outcome } from './chaos-history.ts'
import type { Random } from './chaos-random.ts'

/** What one writer works with. */
export interface WriterDeps {
  readonly running: RunningApp
  readonly url: string
  readonly history: History
  readonly random: Random
  /** Of the process and of the writer in it: prefix of the names of its operations. */
  readonly name: string
}

const keys = Array.from({ length: 24 }, (_, n) => `key-${n}`)
const accounts = 6
const failing = ['plain', 'chain', 'tail', 'careless', 'backed'] as const

type Asked = Omit<AskedEvent, 'outcome'>

/** Rolls a transaction back on purpose. */
class Rollback extends Error {}

/** Publishes at random, in all the ways there are, and writes down what it asked and was told. */
export class Writer {
  readonly #deps: WriterDeps
  #count = 0

  constructor(deps: WriterDeps) {
    this.#deps = deps
  }

  /** One operation. It never throws: what goes wrong is its outcome. */
  async step(): Promise<void> {
    const { random, name } = this.#deps
    this.#count += 1
    const id = `${name}.${this.#count}`
    const what = random.weighted({ alone: 30, burst: 15, transaction: 18, client: 12, once: 8, later: 7, append: 10 })
    await this[what](id)
  }

  /** An event whose handler kills its process, `times` times. */
  async poison(times: number): Promise<void> {
    this.#count += 1
    const fate = { of: this.#deps.random.one(failing), how: 'exit' as const, times }
    await this.#publishOne(`${this.#deps.name}.${this.#count}`, 'poison', { fates: [fate] })
  }

  async alone(id: string): Promise<void> {
    await this.#publishOne(id, 'alone', {})
  }

  /** Many at once: they commit together, and stand in the order of the calls. */
  async burst(id: string): Promise<void> {
    const { running, history, random } = this.#deps
    const data = this.#some(id, random.int(2, 10))
    history.ask(id, 'burst', data.map(asDid))
    const settled = await Promise.allSettled(data.map((each) => running.publish(did, each)))
    const each = Object.fromEntries(
      settled.map((result, i) => [data[i]?.op ?? '', result.status === 'fulfilled' ? 'ok' : outcomeOf(result.reason)]),
    ) as Record<string, Outcome>
    history.told(id, Object.values(each).every((outcome) => outcome === 'ok') ? 'ok' : 'unknown', each)
  }

  /** With rows beside the events, sometimes rolled back, sometimes slow. */
  async transaction(id: string): Promise<void> {
    const { running, history, random } = this.#deps
    const data = this.#some(id, random.int(1, 4))
    const [gives, waitMs] = [random.onceIn(4), random.onceIn(3) ? random.int(5, 400) : 0]
    history.ask(id, 'transaction', data.map(asDid), { withRows: true })
    let written = false
    const outcome = await running
      .transaction(async ({ sql, publish }) => {
        for (const each of data) {
          await sql`insert into rows (op) values (${each.op})`
          await publish(did, each)
        }
        await sleep(waitMs)
        if (gives) throw new Rollback()
        written = true
      })
      .then(
        () => 'ok' as const,
        (error: unknown) => (written ? outcomeOf(error) : 'fail'),
      )
    history.told(id, outcome)
  }

  /** Through a client of one's own, with a part that is taken back to a savepoint. */
  async client(id: string): Promise<void> {
    const { history, random } = this.#deps
    const data = this.#some(id, random.int(2, 4))
    const gone = random.int(0, data.length - 1)
    const end = random.onceIn(4) ? 'rollback' : 'commit'
    history.ask(id, 'client', data.map(asDid), { withRows: true })
    const lost = { [data[gone]?.op ?? '']: 'fail' as const }
    const outcome = await this.#throughClient(data, gone, end)
    history.told(id, outcome, lost)
  }

  /** Under an id of its own, again and again until it is acknowledged: it is published once. */
  async once(id: string): Promise<void> {
    const { running, history, random } = this.#deps
    const [data] = this.#some(id, 1) as [Data]
    history.ask(id, 'once', [asDid(data)])
    let outcome: Outcome = 'unknown'
    for (let tries = 0; tries < 40 && outcome !== 'ok'; tries += 1) {
      outcome = await told(running.publish(did, data, { id }))
      if (outcome !== 'ok') await sleep(100)
    }
    history.told(id, outcome === 'ok' ? 'ok' : 'unknown')
    // Asked once more although it was answered: nothing may come of it.
    if (random.onceIn(3)) await told(running.publish(did, data, { id }))
  }

  async later(id: string): Promise<void> {
    const { running, history, random } = this.#deps
    const [data] = this.#some(id, 1) as [Data]
    history.ask(id, 'later', [asDid(data)], { atOnce: false })
    history.told(id, await told(running.publish(did, data, { at: random.int(1, 1500) })))
  }

  /** To a stream, at the revision that it has, or at any. */
  async append(id: string): Promise<void> {
    const { running, history, random } = this.#deps
    const stream = String(random.int(1, accounts))
    const events = this.#some(id, random.int(1, 3)).map((data) => ({ type: 'credited' as const, data }))
    const key = `account:${stream}`
    history.ask(
      id,
      'append',
      events.map(({ data: { op } }) => ({ op, type: 'credited', key })),
    )
    await running.within(async () => {
      let expect: number | 'any' = 'any'
      if (random.onceIn(2)) {
        const loaded = await account.load(stream).catch(() => undefined)
        if (loaded === undefined) return history.told(id, 'fail') // never asked, after all
        expect = loaded.revision
      }
      await account.append(stream, events, { expect }).then(
        (revision) => history.told(id, 'ok', {}, revision),
        (error: unknown) => history.told(id, outcomeOf(error)),
      )
    })
  }

  async #publishOne(id: string, what: string, more: Partial<Data>): Promise<void> {
    const { running, history, random } = this.#deps
    const [first] = this.#some(id, 1) as [Data]
    const data = { ...first, ...more }
    const keyless = random.onceIn(6)
    history.ask(id, what, [keyless ? { op: data.op, type: 'noted', key: null } : asDid(data)])
    history.told(id, await told(keyless ? running.publish(noted, data) : running.publish(did, data)))
  }

  async #throughClient(data: readonly Data[], gone: number, end: 'commit' | 'rollback'): Promise<Outcome> {
    const client = new pg.Client({ connectionString: this.#deps.url, connectionTimeoutMillis: 2000 })
    client.on('error', () => undefined) // told by the query under way
    let ending = false
    try {
      await client.connect()
      await client.query('begin')
      for (const [i, each] of data.entries()) {
        await client.query('savepoint before')
        await client.query('insert into rows (op) values ($1)', [each.op])
        await this.#deps.running.publish(did, each, { client })
        if (i === gone) await client.query('rollback to savepoint before')
      }
      ending = end === 'commit'
      await client.query(end)
      return ending ? 'ok' : 'fail'
    } catch {
      return ending ? 'unknown' : 'fail'
    } finally {
      void client.end().catch(() => undefined)
    }
  }

  #some(id: string, count: number): Data[] {
    const { random } = this.#deps
    return Array.from({ length: count }, (_, i) => ({
      op: `${id}#${i}`,
      key: random.one(keys),
      note: `as published by ${id}`,
      ...(random.onceIn(4) ? { follows: random.int(1, 2) } : {}),
      ...(random.onceIn(12) ? { fates: [this.#fate()] } : {}),
    }))
  }

  #fate(): NonNullable<Data['fates']>[number] {
    const { random } = this.#deps
    // `strict` stands still until somebody mends what it fails at.
    if (random.onceIn(40)) return { of: 'strict', how: 'throw', times: random.one([1, untilMended]) }
    const of = random.one(failing)
    const usual = hows.filter((how) => how !== 'late')
    const how: How = random.onceIn(60) && of !== 'tail' ? 'late' : random.one(usual)
    return { of, how, times: random.one([1, 1, attempts - 1, attempts, untilMended]) }
  }
}

const asDid = ({ op, key }: Data): Asked => ({ op, type: 'did', key })

const told = (asked: Promise<unknown>): Promise<Outcome> => asked.then(() => 'ok', outcomeOf)

/** What was refused was certainly not done; of anything else nobody knows. */
function outcomeOf(error: unknown): Outcome {
  const refused = ['STREAM_CONFLICT', 'PUBLISH_BLOCKED', 'TRANSACTION_ABORTED']
  return error instanceof PlatformError && refused.includes(error.code) ? 'fail' : 'unknown'
}
