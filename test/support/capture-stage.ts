import { onTestFinished } from 'vitest'
import type { Change, ChangeMeta } from '../../src/events/change.ts'
import { type TableDefinition, table } from '../../src/events/table.ts'
import { Faults } from '../../src/kernel/faults.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { t } from '../../src/kernel/schema.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { type Capture, startCapture } from '../../src/sync/capture.ts'
import type { CaptureOptions } from '../../src/sync/capture-options.ts'
import { testDatabase } from '../../src/testing/test-postgres.ts'

/** A record of the log as tests look at it. */
export interface Logged {
  type: string
  key: string
  change: Change
  meta: ChangeMeta
}

/** What committed before a row of this table did is in the log before it. */
const markers = table('markers', { id: t.uuid() }, { key: 'id' })

/** A database of one test on which captures can be started, and its log read back. */
export interface Stage {
  readonly store: Store
  readonly url: string
  readonly faults: Faults
  readonly name: string
  /** Starts capture; it is stopped after the test. */
  start(tables: readonly TableDefinition[], options?: Partial<CaptureOptions>): Capture
  /** Every captured change, in the order of the log. */
  log(): Promise<Logged[]>
  /** Resolves when everything that committed before the call is in the log. */
  caughtUp(): Promise<void>
  /** Stops its captures and drops its database; done after the test in any case. */
  close(): Promise<void>
  until(fact: () => boolean | Promise<boolean>, what: string): Promise<void>
}

/** On a database of the shared test server, or on a migrated one that the test owns and closes itself. */
export async function captureStage(own?: { url: string }): Promise<Stage> {
  const database = own === undefined ? await testDatabase() : { ...own, name: 'own', drop: async () => {} }
  // The tests' user is named like our schema, which would otherwise come first for tables without one.
  const url = `${database.url}?options=${encodeURIComponent('-c search_path=public')}`
  const store = openStore({ url, connections: 6, logger: silentLogger, applicationName: 'capture test' })
  await store.sql`create table public.markers (id uuid primary key)`
  const captures: Capture[] = []
  const faults = new Faults()
  const name = `millrace_${database.name}`
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await Promise.all(captures.map((capture) => capture.stop()))
    await store.close()
    await database.drop()
  }
  onTestFinished(() => stage.close())
  const stage: Stage = {
    store,
    url,
    faults,
    name,
    start(tables, options = {}) {
      const capture = startCapture({ store, tables: [...tables, markers], name, faults, ...options })
      captures.push(capture)
      return capture
    },
    close() {
      closing ??= close()
      return closing
    },
    async log() {
      const rows = await store.sql<{ type: string; key: string; data: Change; meta: ChangeMeta }>`
        select type, key, data, meta from millrace.events where type <> ${markers.changeType} order by ordinal`
      return rows.map(({ data, ...row }) => ({ ...row, change: data }))
    },
    async caughtUp() {
      // Before the stream, the marker could get into the log by its table's copy, ahead of the copies of others.
      await stage.until(() => captures.some((capture) => capture.status().state === 'streaming'), 'capture streams')
      const id = uuidv7()
      await store.sql`insert into public.markers (id) values (${id})`
      await stage.until(async () => {
        const found = await store.sql`select from millrace.events where type = ${markers.changeType} and key = ${id}`
        return found.length > 0
      }, 'capture has caught up')
    },
    async until(fact, what) {
      const deadline = Date.now() + 20_000
      while (!(await fact())) {
        if (Date.now() > deadline)
          throw new Error(`not in time: ${what} ${JSON.stringify(captures.map((capture) => capture.status()))}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
  return stage
}

/** What a follower of the log would have: the rows after all changes, by key. */
export function replay(log: readonly Logged[], table: TableDefinition): Map<string, Record<string, unknown>> {
  const rows = new Map<string, Record<string, unknown>>()
  for (const { change, key, type } of log) {
    if (type !== table.changeType) continue
    if (change.key !== key) throw new Error(`key ${key} of the record is not ${change.key} of the change`)
    if (change.op === 'truncate') rows.clear()
    else if (change.op === 'delete') {
      if (!rows.delete(key)) throw new Error(`the log ends ${key}, which it never began`)
    } else {
      const known = rows.get(key)
      if (change.op !== 'update' && known !== undefined) throw new Error(`the log begins ${key} twice`)
      if (change.op === 'update' && known === undefined) throw new Error(`the log changes ${key}, which it never began`)
      const kept = (change.unchanged ?? []).map((column) => [column, known?.[column]])
      rows.set(key, { ...Object.fromEntries(kept), ...change.row })
    }
  }
  return rows
}
