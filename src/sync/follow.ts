import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import { type AppendOptions, appendBatch, appendNothing } from './append-batch.ts'
import type { AssembleOptions, Batch } from './assemble.ts'
import { Intake } from './intake.ts'
import { type Lsn, parseLsn } from './lsn.ts'
import { checkTables } from './prepare-tables.ts'
import type { Progress } from './progress.ts'

export interface FollowOptions extends AppendOptions, AssembleOptions {
  onStreaming(): void
  /** So many changes became durable, up to here. */
  onAppended(changes: number, position: Lsn): void
  /** The slot was let go up to here. */
  onConfirmed(position: Lsn): void
  /** So much log of Postgres has not been taken in yet; told every few seconds. */
  onLag(bytes: number): void
}

/**
 * Streams changes into the log until the signal aborts. While one batch is appended the next one gathers; when that is
 * full too, the server waits. Throws when the stream breaks: nothing is lost then.
 */
export async function follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const intake = await Intake.open({ ...options, url: options.store.url })
  options.onStreaming()
  const follower = new Follower(options, intake)
  try {
    while (!signal.aborted) await follower.round(signal)
  } finally {
    await intake.close()
  }
}

/** Idle positions are noted when so much log has passed, and so often: noting writes a little log itself. */
const idleBytes = 16_384n
const idleMs = 1000
/** How long a round waits for something to do. */
const roundMs = 1000
const lookEveryMs = 5000

const lookStatement: Statement = {
  name: 'millrace-capture-look',
  text: `select pg_current_wal_lsn()::text as lsn, (select count(*)::int from pg_publication_rel r
      join pg_publication p on p.oid = r.prpubid where p.pubname = $1 and r.prrelid = any($2::oid[])) as published`,
}

class Follower {
  readonly #options: FollowOptions
  readonly #intake: Intake
  /** What is durable. */
  #progress: Progress
  #notedAt: number
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: FollowOptions, intake: Intake) {
    this.#options = options
    this.#intake = intake
    this.#progress = options.progress
    this.#notedAt = performance.now()
  }

  /** One turn: a batch, or else the position, or else a wait. */
  async round(signal: AbortSignal): Promise<void> {
    await this.#lookAround()
    const batch = this.#intake.take()
    if (batch !== undefined) return this.#append(batch)
    if (this.#idleIsDue()) return this.#noteIdle()
    await this.#intake.wait(roundMs, signal)
  }

  async #append(batch: Batch): Promise<void> {
    const { store, tables, onAppended } = this.#options
    const definitions = tables.map(({ table }) => table)
    if (batch.altered) await checkTables(store, definitions)
    await appendBatch(this.#options, this.#progress, batch)
    onAppended(batch.records.length, batch.progress.position)
    this.#confirm(batch.progress)
  }

  #idleIsDue(): boolean {
    if (this.#intake.takeAsked()) return true
    const passed = this.#intake.position - this.#progress.position
    return passed >= idleBytes && performance.now() - this.#notedAt >= idleMs
  }

  async #noteIdle(): Promise<void> {
    const { position } = this.#intake
    const { partial } = this.#progress
    if (position === this.#progress.position) return this.#confirm(this.#progress)
    // Of a transaction that is still to come some changes may be in the log.
    const progress = { position, partial: partial !== undefined && partial.commitLsn >= position ? partial : undefined }
    await appendNothing(this.#options, this.#progress, progress)
    this.#confirm(progress)
  }

  #confirm(progress: Progress): void {
    this.#progress = progress
    this.#notedAt = performance.now()
    this.#intake.confirm(progress.position)
    this.#options.onConfirmed(progress.position)
  }

  /** Looks at what the stream does not tell: how much log is ahead, and whether all tables are still published. */
  async #lookAround(): Promise<void> {
    const { store, capture, tables, onLag } = this.#options
    if (performance.now() - this.#lookedAt < lookEveryMs) return
    this.#lookedAt = performance.now()
    const oids = tables.map(({ live }) => live.oid)
    const [row] = await store.run<{ lsn: string; published: number }>(lookStatement, [capture, oids])
    onLag(Math.max(0, Number(parseLsn(row?.lsn ?? '0/0') - this.#intake.position)))
    if (row?.published === oids.length) return
    throw new PlatformError('CAPTURE_FAILED', 'a table was dropped, or taken out of the publication, while followed')
  }
}
