import { PlatformError } from '../kernel/errors.ts'
import { type CommitLine, commitLine, patientLine } from '../store/commit-line.ts'
import type { Queryable } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import { append } from './append.ts'
import type { NewRecord } from './record.ts'

/**
 * Commits concurrent publishes together: while one insert is under way the next gathers, so latency is one commit and
 * throughput grows with load. One at a time, so events stand in the log in the order of the calls. Those with terms have a
 * line of their own: what waits for somebody's transaction holds up no others.
 */
export class GroupCommit {
  readonly #plain: CommitLine<NewRecord, undefined>
  readonly #onTerms: CommitLine<NewRecord, undefined>

  /** @param committed called after each commit, to wake the sequencer */
  constructor(store: Store, committed: () => void) {
    const options = { store, write, committed, lengthOf: ({ data }: NewRecord) => data.length }
    this.#plain = commitLine(options)
    this.#onTerms = patientLine({ ...options, blocked })
  }

  add(record: NewRecord): Promise<undefined> {
    return record.terms === undefined ? this.#plain.add(record) : this.#onTerms.add(record)
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    await Promise.all([this.#plain.drain(), this.#onTerms.drain()])
  }
}

async function write(client: Queryable, records: readonly NewRecord[]): Promise<undefined[]> {
  await append(client, records)
  return []
}

function blocked({ type }: NewRecord, cause: unknown): PlatformError {
  const message = `event ${type} was not published: an open transaction has published the same id`
  return new PlatformError('PUBLISH_BLOCKED', message, { cause })
}
