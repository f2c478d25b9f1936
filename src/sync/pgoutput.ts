import { PlatformError } from '../kernel/errors.ts'
import type { Lsn } from './lsn.ts'
import { WireReader } from './wire-reader.ts'

/**
 * Messages of logical replication (PostgreSQL manual, 54.9 "Logical Replication Message Formats"), protocol version 1.
 * Transactions come whole, in commit order: `begin`, changes, `commit`.
 */
export type PgoutputMessage =
  | { kind: 'begin'; commitLsn: Lsn; committedAt: bigint; xid: number }
  | { kind: 'commit'; commitLsn: Lsn; endLsn: Lsn }
  | Relation
  | { kind: 'insert'; relation: number; row: Tuple }
  | { kind: 'update'; relation: number; before: OldRow | null; row: Tuple }
  | { kind: 'delete'; relation: number; before: OldRow }
  | { kind: 'truncate'; relations: number[] }
  | { kind: 'message'; prefix: string; content: Buffer; lsn: Lsn; transactional: boolean }
  | { kind: 'other' }

/** A row as text, by place of the column; `null` is NULL, `undefined` a large value that the change did not touch. */
export type Tuple = (string | null | undefined)[]

/** A row as it was: all of it with REPLICA IDENTITY FULL, else only the key, the other columns reading as NULL. */
export interface OldRow {
  whole: boolean
  row: Tuple
}

/** The shape of a table from here on in the stream. */
export interface Relation {
  kind: 'relation'
  relation: number
  schema: string
  name: string
  columns: RelationColumn[]
}
export interface RelationColumn {
  name: string
  type: number
  /** Part of the replica identity. */
  key: boolean
}

/** Decodes the message that begins at `start` and ends with the buffer. Throws CAPTURE_FAILED on anything malformed. */
export function decodePgoutput(buffer: Buffer, start = 0): PgoutputMessage {
  const reader = new WireReader(buffer, start)
  try {
    const message = read(reader)
    if (reader.at !== buffer.length) throw new RangeError(`${buffer.length - reader.at} bytes too many`)
    return message
  } catch (cause) {
    const type = String.fromCharCode(buffer[start] ?? 0)
    throw new PlatformError('CAPTURE_FAILED', `a replication message of type "${type}" cannot be read`, { cause })
  }
}

function read(from: WireReader): PgoutputMessage {
  switch (from.byte()) {
    case 0x49: // I
      return { kind: 'insert', relation: from.oid(), row: newTuple(from) }
    case 0x55: // U
      return update(from)
    case 0x44: // D
      return { kind: 'delete', relation: from.oid(), before: oldRow(from, from.byte()) }
    case 0x42: // B
      return { kind: 'begin', commitLsn: from.int64(), committedAt: from.int64(), xid: from.oid() }
    case 0x43: // C
      return commit(from)
    case 0x52: // R
      return relation(from)
    case 0x54: // T
      return truncate(from)
    case 0x4d: // M
      return logicalMessage(from)
    case 0x59: // Y, the name of a type: known from the catalogue
    case 0x4f: // O, where a change was first made
      from.skipRest()
      return { kind: 'other' }
    default:
      throw new RangeError('unknown type')
  }
}

function update(from: WireReader): PgoutputMessage {
  const relation = from.oid()
  const kind = from.byte()
  if (kind === 0x4e) return { kind: 'update', relation, before: null, row: tuple(from) }
  const before = oldRow(from, kind)
  return { kind: 'update', relation, before, row: newTuple(from) }
}

function commit(from: WireReader): PgoutputMessage {
  from.byte() // flags, none defined
  const message: PgoutputMessage = { kind: 'commit', commitLsn: from.int64(), endLsn: from.int64() }
  from.int64() // time, known from begin
  return message
}

function relation(from: WireReader): Relation {
  const relation = from.oid()
  const schema = from.text()
  const name = from.text()
  from.byte() // replica identity
  const columns: RelationColumn[] = []
  for (let left = from.count(); left > 0; left -= 1) {
    const key = from.byte() === 1
    columns.push({ key, name: from.text(), type: from.oid() })
    from.oid() // type modifier
  }
  return { kind: 'relation', relation, schema: schema === '' ? 'pg_catalog' : schema, name, columns }
}

function truncate(from: WireReader): PgoutputMessage {
  const relations: number[] = []
  const count = from.oid()
  from.byte() // cascade, restart identity
  for (let i = 0; i < count; i += 1) relations.push(from.oid())
  return { kind: 'truncate', relations }
}

function logicalMessage(from: WireReader): PgoutputMessage {
  const transactional = from.byte() === 1
  return { kind: 'message', transactional, lsn: from.int64(), prefix: from.text(), content: from.bytes(from.oid()) }
}

function newTuple(from: WireReader): Tuple {
  if (from.byte() !== 0x4e) throw new RangeError('no new row')
  return tuple(from)
}

function oldRow(from: WireReader, kind: number): OldRow {
  if (kind !== 0x4b && kind !== 0x4f) throw new RangeError('no old row') // K, O
  return { whole: kind === 0x4f, row: tuple(from) }
}

function tuple(from: WireReader): Tuple {
  const count = from.count()
  const row: Tuple = []
  for (let i = 0; i < count; i += 1) {
    const kind = from.byte()
    if (kind === 0x74) row.push(from.string(from.oid()))
    else if (kind === 0x6e) row.push(null)
    else if (kind === 0x75) row.push(undefined)
    else throw new RangeError('unknown kind of column')
  }
  return row
}
