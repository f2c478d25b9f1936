import { on } from '../../src/delivery/on.ts'
import { event } from '../../src/events/event.ts'
import { t } from '../../src/kernel/schema.ts'
import { app } from '../../src/platform/app-definition.ts'
import type { Sql } from '../../src/store/sql.ts'

export const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })

/** Number of the event whose handling ends the process at once, as a crash would. */
export const deadly = 13

/** What `app` takes as `setup`. */
export const effects = ({ sql }: { sql: Sql }): Promise<unknown> =>
  sql`create table if not exists effects (id serial primary key, key text, n int)`

/** Writes one row per event. */
export const crashApp = app(
  'crash',
  {
    sent,
    worker: on('worker', sent, { start: 'beginning' }, async ({ data: { key, n }, sql }) => {
      if (n === deadly) process.kill(process.pid, 'SIGKILL')
      await sql`insert into effects (key, n) values (${key}, ${n})`
    }),
  },
  { setup: effects },
)
