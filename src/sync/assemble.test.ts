import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { Assembler } from './assemble.ts'
import type { CapturedTable } from './captured-table.ts'
import type { PgoutputMessage } from './pgoutput.ts'
import type { Progress } from './progress.ts'
import { parseSnapshot } from './snapshot-filter.ts'

const things = table('things', { id: t.int() }, { key: 'id' })
const column = { type: 23, baseType: 23, typeName: 'integer', nullable: false, generated: false }
const captured: CapturedTable = {
  table: things,
  filter: parseSnapshot('1:1:'),
  live: {
    name: { schema: 'public', name: 'things' },
    oid: 1,
    logged: true,
    kind: 'table',
    partitioned: false,
    primaryKey: ['id'],
    replicaIdentities: ['d'],
    columns: new Map([['id', column]]),
  },
}

test('whatever is crashed and sent again, each change is handed out once and in order', () => {
  fc.assert(
    fc.property(transactions, fc.integer({ min: 1, max: 6 }), lives, (sizes, maxRecords, patience) => {
      const stream = messages(sizes)
      const stored: string[] = []
      let progress: Progress = { position: 0n, partial: undefined }
      for (const life of [...patience, { batches: Number.POSITIVE_INFINITY, takeEvery: 1 }]) {
        const assembler = new Assembler({ tables: [captured], progress, xid: 100, maxRecords, maxBytes: 1e9 })
        let batches = life.batches
        const drain = (): void => {
          for (let batch = assembler.take(); batch !== undefined && batches > 0; batch = assembler.take()) {
            stored.push(...batch.records.map(({ key }) => key ?? ''))
            progress = batch.progress
            batches -= 1
          }
        }
        stream.forEach((message, i) => {
          if (batches > 0) assembler.push(message)
          if (assembler.full || i % life.takeEvery === 0) drain()
        })
        drain()
      }
      expect(stored).toEqual(sizes.flatMap((size, i) => Array.from({ length: size }, (_, n) => String(i * 1000 + n))))
    }),
    { numRuns: 300 },
  )
})

test('a transaction that the copy of the table saw is dropped', () => {
  const filtered = { ...captured, filter: parseSnapshot('101:104:102') }
  const progress = { position: 0n, partial: undefined }
  const assembler = new Assembler({ tables: [filtered], progress, xid: 100, maxRecords: 100, maxBytes: 1e9 })
  for (const message of messages([1, 1, 1, 1, 1])) assembler.push(message)
  // Ids 100 to 104; 102 was still running when the snapshot was taken, 104 had not begun.
  expect(assembler.take()?.records.map(({ key }) => key)).toEqual(['2000', '4000'])
})

test('a whole transaction waits for its end, one that is too large does not', () => {
  const progress = { position: 0n, partial: undefined }
  const assembler = new Assembler({ tables: [captured], progress, xid: 100, maxRecords: 3, maxBytes: 1e9 })
  const [relation, begin, ...rest] = messages([4])
  for (const message of [relation, begin, rest[0], rest[1]]) if (message !== undefined) assembler.push(message)
  expect(assembler.take()).toBeUndefined()
  if (rest[2] !== undefined) assembler.push(rest[2])
  expect(assembler.take()).toMatchObject({ progress: { position: 0n, partial: { commitLsn: 10n, changes: 3 } } })
})

const transactions = fc.array(fc.nat(9), { maxLength: 8 })
/** After how many batches a life ends in a crash, and how eagerly it takes them. */
const lives = fc.array(fc.record({ batches: fc.nat(4), takeEvery: fc.integer({ min: 1, max: 9 }) }), { maxLength: 5 })

/** The stream of transactions of so many inserts each; keys say which transaction and change they come from. */
function messages(sizes: readonly number[]): PgoutputMessage[] {
  const stream: PgoutputMessage[] = [
    { kind: 'relation', relation: 1, schema: 'public', name: 'things', columns: [{ name: 'id', type: 23, key: true }] },
  ]
  sizes.forEach((size, i) => {
    const commitLsn = BigInt(i + 1) * 10n
    stream.push({ kind: 'begin', commitLsn, committedAt: 0n, xid: 100 + i })
    for (let n = 0; n < size; n += 1) stream.push({ kind: 'insert', relation: 1, row: [String(i * 1000 + n)] })
    stream.push({ kind: 'commit', commitLsn, endLsn: commitLsn + 5n })
  })
  return stream
}
