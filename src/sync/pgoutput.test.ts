import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlatformError } from '../kernel/errors.ts'
import { decodePgoutput, type PgoutputMessage, type Tuple } from './pgoutput.ts'

test('every message that the server can write is read back', () => {
  fc.assert(
    fc.property(message, fc.nat(30), (value, offset) => {
      const buffer = Buffer.concat([Buffer.alloc(offset), encode(value)])
      expect(decodePgoutput(buffer, offset)).toEqual(value)
    }),
    { numRuns: 500 },
  )
})

test('anything else is refused, never read past its end', () => {
  fc.assert(
    fc.property(damaged, (buffer) => {
      try {
        decodePgoutput(buffer)
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError)
        expect(error).toMatchObject({ code: 'CAPTURE_FAILED' })
      }
    }),
    { numRuns: 2000 },
  )
})

test('a message cut short or with bytes to spare is refused', () => {
  fc.assert(
    fc.property(message, fc.nat(), (value, cut) => {
      const buffer = encode(value)
      const short = buffer.subarray(0, cut % buffer.length)
      expect(() => decodePgoutput(short)).toThrow('cannot be read')
      expect(() => decodePgoutput(Buffer.concat([buffer, Buffer.of(0)]))).toThrow('cannot be read')
    }),
  )
})

const oid = fc.nat(0xffff_ffff)
const int64 = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0'))
const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null), fc.constant(undefined))
const tuple = fc.array(cell, { maxLength: 8 })
const oldRow = fc.record({ whole: fc.boolean(), row: tuple })

const message: fc.Arbitrary<PgoutputMessage> = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const), commitLsn: int64, committedAt: int64, xid: oid }),
  fc.record({ kind: fc.constant('commit' as const), commitLsn: int64, endLsn: int64 }),
  fc.record({
    kind: fc.constant('relation' as const),
    relation: oid,
    schema: name,
    name,
    columns: fc.array(fc.record({ name, type: oid, key: fc.boolean() }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('insert' as const), relation: oid, row: tuple }),
  fc.record({ kind: fc.constant('update' as const), relation: oid, before: fc.option(oldRow), row: tuple }),
  fc.record({ kind: fc.constant('delete' as const), relation: oid, before: oldRow }),
  fc.record({ kind: fc.constant('truncate' as const), relations: fc.array(oid, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant('message' as const),
    prefix: name,
    content: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    lsn: int64,
    transactional: fc.boolean(),
  }),
)

/** Real messages with some bytes changed, and noise. */
const damaged: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })).map(([value, changes]) => {
    const buffer = encode(value)
    for (const [place, byte] of changes) buffer[place % buffer.length] = byte
    return buffer
  }),
)

function encode(value: PgoutputMessage): Buffer {
  switch (value.kind) {
    case 'begin':
      return bytes('B', i64(value.commitLsn), i64(value.committedAt), i32(value.xid))
    case 'commit':
      return bytes('C', 0, i64(value.commitLsn), i64(value.endLsn), i64(0n))
    case 'relation':
      return bytes(
        ...['R', i32(value.relation), text(value.schema), text(value.name), 0x64, i16(value.columns.length)],
        ...value.columns.flatMap((column) => [column.key ? 1 : 0, text(column.name), i32(column.type), i32(0)]),
      )
    case 'insert':
      return bytes('I', i32(value.relation), 'N', cells(value.row))
    case 'update':
      return bytes('U', i32(value.relation), ...(value.before === null ? [] : old(value.before)), 'N', cells(value.row))
    case 'delete':
      return bytes('D', i32(value.relation), ...old(value.before))
    case 'truncate':
      return bytes('T', i32(value.relations.length), 0, ...value.relations.map(i32))
    case 'message':
      return bytes(
        ...['M', value.transactional ? 1 : 0, i64(value.lsn), text(value.prefix), i32(value.content.length)],
        value.content,
      )
    case 'other':
      return bytes('O')
  }
}

const old = (before: { whole: boolean; row: Tuple }): (string | Buffer)[] => [
  before.whole ? 'O' : 'K',
  cells(before.row),
]

function cells(row: Tuple): Buffer {
  const written = row.map((value) => {
    if (value === null) return bytes('n')
    return value === undefined ? bytes('u') : bytes('t', i32(Buffer.byteLength(value)), Buffer.from(value))
  })
  return bytes(i16(row.length), ...written)
}

function bytes(...parts: (string | number | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.of(part) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  )
}

function i16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16BE(value)
  return buffer
}

function i32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

function i64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(value)
  return buffer
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`)
