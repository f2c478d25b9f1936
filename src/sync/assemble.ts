import { PlatformError } from '../kernel/errors.ts'
import { type CapturedTable, isUnaltered, streamShape } from './captured-table.ts'
import { type ChangeRecord, deleteRecord, insertRecord, truncateRecord, updateRecords } from './change-records.ts'
import { formatLsn, type Lsn, widenXid } from './lsn.ts'
import type { PgoutputMessage, Relation } from './pgoutput.ts'
import { isoMoment } from './postgres-time.ts'
import type { Progress } from './progress.ts'
import type { RowShape } from './row-shape.ts'

/** Changes to append together, and how far capture has come once they are. */
export interface Batch {
  readonly records: readonly ChangeRecord[]
  readonly progress: Progress
  /** A table has another shape than when the session began: look whether the declaration still fits before appending. */
  readonly altered: boolean
}

export interface AssembleOptions {
  tables: readonly CapturedTable[]
  /** What is in the log already: the server sends again what it does not know to be confirmed. */
  progress: Progress
  /** A full transaction id of about now. */
  xid: number
  /** A transaction with more than this many changes, or bytes of them, is handed out in pieces. */
  maxRecords: number
  maxBytes: number
}

/**
 * Makes batches of whole transactions from the messages of the stream, in commit order. Drops what is in the log
 * already, what the copy of a table has already, and tables that are not declared. Only a transaction that is too large
 * to hold is cut; `Progress` then says where.
 */
export class Assembler {
  readonly #options: AssembleOptions
  readonly #relations = new Map<number, Followed | undefined>()
  #records: ChangeRecord[] = []
  #bytes = 0
  /** How many of the records belong to transactions that are complete. */
  #complete = 0
  #transaction: OpenTransaction | undefined
  #position: Lsn
  #xid: number
  #altered = false

  constructor(options: AssembleOptions) {
    this.#options = options
    this.#position = options.progress.position
    this.#xid = options.xid
  }

  /** Everything that committed before this has been taken in. */
  get position(): Lsn {
    return this.#position
  }

  /** So much is waiting that reading on should wait too. */
  get full(): boolean {
    return this.#records.length >= this.#options.maxRecords || this.#bytes >= this.#options.maxBytes
  }

  /** There is something to take. */
  get ready(): boolean {
    return this.#complete > 0 || this.full
  }

  push(message: PgoutputMessage): void {
    switch (message.kind) {
      case 'insert':
      case 'update':
      case 'delete':
      case 'truncate':
        this.#change(message)
        return
      case 'begin':
        this.#transaction = this.#begin(message)
        return
      case 'commit':
        this.#transaction = undefined
        this.#complete = this.#records.length
        this.passed(message.endLsn)
        return
      case 'relation':
        this.#relations.set(message.relation, this.#follow(message))
        return
      case 'message':
      case 'other':
        return
    }
  }

  /** The server has nothing to send up to here. Says nothing inside a transaction. */
  passed(lsn: Lsn): void {
    if (this.#transaction === undefined && lsn > this.#position) this.#position = lsn
  }

  /** The next batch, if there is one; a piece of an open transaction only when there is no more room. */
  take(): Batch | undefined {
    if (this.#complete > 0) return this.#takeFirst(this.#complete, { position: this.#position, partial: undefined })
    if (this.#transaction === undefined || !this.full) return undefined
    const { commitLsn, seen } = this.#transaction
    return this.#takeFirst(this.#records.length, { position: this.#position, partial: { commitLsn, changes: seen } })
  }

  #takeFirst(count: number, progress: Progress): Batch {
    const records = this.#records
    this.#records = records.slice(count)
    this.#bytes = this.#records.reduce((sum, { data }) => sum + data.length, 0)
    this.#complete = 0
    records.length = count
    const altered = this.#altered
    this.#altered = false
    return { records, progress, altered }
  }

  #begin({ commitLsn, committedAt, xid }: PgoutputMessage & { kind: 'begin' }): OpenTransaction {
    const { position, partial } = this.#options.progress
    this.#xid = widenXid(xid, this.#xid)
    const known = partial?.commitLsn === commitLsn ? partial.changes : 0
    return {
      commitLsn,
      xid: this.#xid,
      seen: 0,
      known: commitLsn < position ? Number.POSITIVE_INFINITY : known,
      meta: JSON.stringify({
        lsn: formatLsn(commitLsn),
        xid: String(this.#xid),
        committedAt: isoMoment(committedAt),
      }),
    }
  }

  #change(message: RowMessage): void {
    const transaction = this.#transaction
    if (transaction === undefined) throw new PlatformError('CAPTURE_FAILED', 'a change came outside a transaction')
    transaction.seen += 1
    if (transaction.seen <= transaction.known) return
    for (const record of this.#recordsOf(message, transaction)) {
      this.#records.push(record)
      this.#bytes += record.data.length
    }
  }

  #recordsOf(message: RowMessage, { xid, meta }: OpenTransaction): ChangeRecord[] {
    if (message.kind === 'truncate') {
      const shapes = message.relations.flatMap((relation) => this.#shapeFor(relation, xid) ?? [])
      return shapes.map((shape) => truncateRecord(shape, meta))
    }
    const shape = this.#shapeFor(message.relation, xid)
    if (shape === undefined) return []
    if (message.kind === 'insert') return [insertRecord(shape, message.row, meta)]
    if (message.kind === 'delete') return [deleteRecord(shape, message.before, meta)]
    return updateRecords(shape, message.before, message.row, meta)
  }

  /** How to write a change of this relation; `undefined` when it is not followed, or the copy of the table has it. */
  #shapeFor(relation: number, xid: number): RowShape | undefined {
    const followed = this.#relations.get(relation)
    if (followed === undefined) {
      if (this.#relations.has(relation)) return undefined
      throw new PlatformError('CAPTURE_FAILED', `a change names relation ${relation}, which was not described`)
    }
    return followed.captured.filter.sees(xid) ? undefined : followed.shape
  }

  /** A relation that is none of the tables was one when its changes were made, unless it is one under another name. */
  #captured(relation: Relation): CapturedTable | undefined {
    const { tables } = this.#options
    const { schema, name } = relation
    const byName = tables.find(({ live }) => live.name.schema === schema && live.name.name === name)
    return byName ?? tables.find(({ live }) => live.oid === relation.relation)
  }

  #follow(relation: Relation): Followed | undefined {
    const captured = this.#captured(relation)
    if (captured === undefined) return undefined
    this.#altered ||= !isUnaltered(captured, relation)
    return { captured, shape: streamShape(captured, relation) }
  }
}

type RowMessage = PgoutputMessage & { kind: 'insert' | 'update' | 'delete' | 'truncate' }

interface Followed {
  captured: CapturedTable
  shape: RowShape
}

interface OpenTransaction {
  commitLsn: Lsn
  xid: number
  /** Changes that came so far, whether they are kept or not: the same count after every restart. */
  seen: number
  /** Changes at the start that are in the log already. */
  known: number
  meta: string
}
