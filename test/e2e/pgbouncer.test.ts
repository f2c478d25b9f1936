import { expect, test } from 'vitest'
import { on } from '../../src/delivery/on.ts'
import { event } from '../../src/events/event.ts'
import { table } from '../../src/events/table.ts'
import { t } from '../../src/kernel/schema.ts'
import { app } from '../../src/platform/app-definition.ts'
import { testApp } from '../../src/testing/test-app.ts'
import { testDatabase } from '../../src/testing/test-postgres.ts'
import { findPgBouncer, startPgBouncer } from '../support/pgbouncer.ts'

const program = await findPgBouncer()
const placed = event('placed', { key: t.string(), n: t.int() }, { key: 'key' })
const count = on('count', placed, async ({ data, sql }) => {
  await sql`insert into counted (key, n) values (${data.key}, ${data.n})`
})
const setup = ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
  sql`create table if not exists counted (id serial primary key, key text, n int)`

test.skipIf(program === undefined)(
  'behind PgBouncer in transaction mode events are handled once and in order, by polling alone',
  async () => {
    const database = await testDatabase()
    const pooler = await startPgBouncer(program ?? '', database.url)
    try {
      await using first = await testApp(app('t', { placed, count }, { setup }), { url: pooler.url, memberName: 'a' })
      await using second = await testApp(app('t', { placed, count }, { setup }), { url: pooler.url, memberName: 'b' })
      for (let n = 0; n < 200; n += 10)
        await Promise.all(
          Array.from({ length: 10 }, (_, i) =>
            (i % 2 === 0 ? first : second).publish(placed, { key: `k${i}`, n: n + i }),
          ),
        )
      await first.transaction(async ({ publish }) => publish(placed, { key: 'last', n: 1000 }))
      await first.settled()
      const rows = await first.sql<{ key: string; n: number }>`select key, n from counted order by id`
      expect(rows).toHaveLength(201)
      for (let k = 0; k < 10; k += 1) {
        const own = rows.filter(({ key }) => key === `k${k}`).map(({ n }) => n)
        expect(own).toEqual(Array.from({ length: 20 }, (_, i) => i * 10 + k))
      }
    } finally {
      await pooler.stop()
      await database.drop()
    }
  },
)

test.skipIf(program === undefined)('tables behind PgBouncer are captured by the direct address', async () => {
  const items = table('items', { id: t.int(), name: t.string() }, { key: 'id' })
  const seen: unknown[] = []
  const watch = on('watch', items, { start: 'beginning' }, ({ data }) => seen.push(data.row))
  const database = await testDatabase()
  const pooler = await startPgBouncer(program ?? '', database.url)
  try {
    await expect(testApp(app('t', { items, watch }), { url: pooler.url })).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      hint: expect.stringContaining('DIRECT_URL'),
    })
    await using running = await testApp(app('t', { items, watch }), { url: pooler.url, directUrl: database.url })
    await running.sql`insert into items values (1, 'one')`
    await running.settled()
    expect(seen).toEqual([{ id: 1, name: 'one' }])
  } finally {
    await pooler.stop()
    await database.drop()
  }
})
