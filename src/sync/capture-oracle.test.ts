import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { captureStage, type Logged, replay, type Stage } from '../../test/support/capture-stage.ts'
import { type Statement, type Step, step } from '../../test/support/capture-steps.ts'
import { type TableDefinition, table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import type { Capture } from './capture.ts'

const fields = {
  a: t.int(),
  b: t.string(),
  seq: t.bigint(),
  flag: t.nullable(t.boolean()),
  exact: t.nullable(t.decimal()),
  ratio: t.nullable(t.number()),
  at: t.timestamp(),
  doc: t.nullable(t.json()),
  tags: t.nullable(t.array(t.string())),
  large: t.nullable(t.string()),
}
const things = table('things', fields, { key: ['a', 'b'] })
const whole = table('whole', fields, { key: ['a', 'b'], before: true })

test('the log replayed is the table, row for row, whatever happens meanwhile', { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 40 }),
      fc.nat(8),
      fc.constantFrom(3, 20, 5000),
      async (steps, startAt, maxRecords) => {
        const stage = await captureStage()
        const run = new Run(stage, maxRecords)
        try {
          await run.prepare()
          for (const [i, next] of steps.entries()) {
            if (i === startAt) run.start()
            await run.step(next)
          }
          await run.finish()
          const log = await stage.log()
          for (const each of [things, whole]) {
            expect(abridged(replay(log, each))).toEqual(abridged(await rowsOf(stage, each)))
          }
          expectOnce(log)
          expectCommitOrder(log)
        } finally {
          await run.close()
          await stage.close()
        }
      },
    ),
    { numRuns: 12, endOnFailure: true },
  )
})

class Run {
  readonly #stage: Stage
  readonly #maxRecords: number
  readonly #clients: pg.Client[] = []
  readonly #armed: (() => void)[] = []
  #capture: Capture | undefined
  #longOpen = false
  #both = true
  #seq = 0

  constructor(stage: Stage, maxRecords: number) {
    this.#stage = stage
    this.#maxRecords = maxRecords
  }

  async prepare(): Promise<void> {
    for (const name of ['things', 'whole']) {
      await this.#stage.store.sql.query(`
        create table ${name} (a int, b text, seq int8 not null, flag bool, exact numeric, ratio float8,
          at timestamptz not null default clock_timestamp(), doc jsonb, tags text[], large text, undeclared text, primary key (a, b))`)
      await this.#stage.store.sql.query(`alter table ${name} alter large set storage external`)
    }
    for (let i = 0; i < 3; i += 1) this.#clients.push(await this.#stage.store.connect())
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'transaction':
        return this.#transaction(step)
      case 'openLong':
        if (!this.#longOpen) await this.#long.query('begin')
        this.#longOpen = true
        return this.#run(this.#long, step.statement, 10)
      case 'closeLong':
        return this.#closeLong()
      case 'rest':
        if (this.#capture !== undefined && !this.#longOpen) await this.#stage.caughtUp()
        return
      case 'restart':
        await this.#capture?.stop()
        this.#capture = undefined
        return this.start()
      case 'declare':
        // One table leaves or joins: when it is back, its rows begin anew.
        await this.#capture?.stop()
        this.#capture = undefined
        this.#both = !this.#both
        return this.start()
      case 'meet': {
        // A transaction that commits exactly there.
        const disarm = this.#stage.faults.arm(step.at, async () => {
          disarm()
          await this.#run(this.#meeting, step.statement, 20)
        })
        this.#armed.push(disarm)
        return
      }
      case 'crash': {
        const disarm = this.#stage.faults.arm(step.at, () => {
          disarm()
          throw new Error(`crash at ${step.at}`)
        })
        this.#armed.push(disarm)
        return
      }
      case 'killStream':
        await this.#stage.store.sql`
          select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = ${this.#stage.name}`
        return
      case 'killAppends':
        await this.#stage.store.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and query like 'copy millrace.events%' and pid <> pg_backend_pid()`
        return
    }
  }

  async finish(): Promise<void> {
    await this.#closeLong()
    if (!this.#both) await this.step({ kind: 'declare' })
    this.start()
    // Twice: a transaction that still meets the first marker on its way commits after it.
    for (const disarm of this.#armed) disarm()
    await this.#stage.caughtUp()
    await this.#stage.caughtUp()
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.end()
  }

  get #long(): pg.Client {
    return this.#clients[1] as pg.Client
  }

  get #meeting(): pg.Client {
    return this.#clients[2] as pg.Client
  }

  start(): void {
    this.#capture ??= this.#stage.start(this.#both ? [things, whole] : [things], { maxRecords: this.#maxRecords })
  }

  async #closeLong(): Promise<void> {
    if (this.#longOpen) await this.#long.query('commit')
    this.#longOpen = false
  }

  async #transaction({ statements, undo, end }: Extract<Step, { kind: 'transaction' }>): Promise<void> {
    const client = this.#clients[0] as pg.Client
    await client.query('begin')
    for (const [i, each] of statements.entries()) {
      if (i === undo) await client.query('savepoint before_it')
      await this.#run(client, each, 0)
      if (i === undo) await client.query('rollback to before_it')
    }
    await client.query(end)
  }

  /** Runs the statement on both tables, on keys from `base` on. */
  async #run(client: pg.Client, each: Statement, base: number): Promise<void> {
    for (const name of ['things', 'whole']) {
      this.#seq += 1
      await client.query(this.#sql(name, each, base, this.#seq))
    }
  }

  #sql(name: string, each: Statement, base: number, seq: number): string {
    switch (each.do) {
      case 'insert':
        return `insert into ${name} select ${base + each.a}, 'k' || n, ${seq}, n % 2 = 0, n * 1.10, n / 3.0, clock_timestamp(),
          jsonb_build_object('n', n, 'text', E'\\t"\\\\ü'), array['x', null, 'a,"b"'], nullif(repeat(chr(65 + n), ${each.large}), '')
          from generate_series(1, ${each.count}) n on conflict do nothing`
      case 'update':
        return `update ${name} set seq = ${seq}, flag = not flag, doc = null${each.large === undefined ? '' : `, large = repeat('u', ${each.large})`} where a = ${base + each.a}`
      case 'touch':
        return `update ${name} set seq = ${seq}, undeclared = 'touched' where a = ${base + each.a}`
      case 'move':
        return `update ${name} set seq = ${seq}, a = ${base + each.to}, b = b || 'm' where a = ${base + each.a}
          and length(b) < 10 and (${base + each.to}, b || 'm') not in (select a, b from ${name})`
      case 'delete':
        return `delete from ${name} where a = ${base + each.a}`
      case 'truncate':
        // The long transaction holds locks that a truncate would wait for.
        return this.#longOpen || base > 0
          ? `delete from ${name} where a >= ${base} and a < ${base + 10}`
          : `truncate ${name}`
    }
  }
}

async function rowsOf(stage: Stage, definition: TableDefinition): Promise<Map<string, Record<string, unknown>>> {
  const rows = await stage.store.sql.query<Record<string, unknown>>(`
    select a, b, seq::text as seq, flag, exact, ratio, at, doc, tags, large from ${definition.name}`)
  return new Map(rows.map((row) => [definition.keyText(row), row]))
}

/** With large values told in short. */
function abridged(rows: ReadonlyMap<string, Record<string, unknown>>): [string, Record<string, unknown>][] {
  const short = (value: unknown): unknown =>
    typeof value === 'string' && value.length > 100
      ? `${value.length} ${createHash('md5').update(value).digest('hex')}`
      : value
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([key, row]) => [key, { ...row, large: short(row['large']) }])
}

/** Every statement gave its rows a number of their own, so the same change twice is the same key and number twice. */
function expectOnce(log: readonly Logged[]): void {
  const seen = log.flatMap(({ type, change }) =>
    change.op === 'insert' || change.op === 'update' ? [`${type} ${change.key} ${String(change.row?.['seq'])}`] : [],
  )
  expect(new Set(seen).size).toBe(seen.length)
}

/** Positions never go back, and a transaction's changes stay together. */
function expectCommitOrder(log: readonly Logged[]): void {
  const streamed = log.filter(({ meta }) => meta.xid !== undefined)
  const places = streamed.map(({ meta }) =>
    meta.lsn
      .split('/')
      .map((part) => part.padStart(8, '0'))
      .join(),
  )
  expect(places).toEqual([...places].sort())
  const transactions = streamed.map(({ meta }) => meta.xid).filter((xid, i, all) => xid !== all[i - 1])
  expect(new Set(transactions).size).toBe(transactions.length)
}
