import type { Sql, Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import { expectedNumber } from './expected.ts'
import type { StreamAppend } from './stream-append.ts'

/** What became of an append: the revision of its stream now, whether or not its expectation held. */
export interface Appended {
  readonly revision: number
  readonly done: boolean
}

export interface AppendTerms {
  /** All or nothing; else each by itself. */
  readonly atomic: boolean
  /** How long to wait for somebody's open transaction on one of the streams, 0 for ever; then it fails with 55P03. */
  readonly patienceMs?: number
}

const statement: Statement = {
  name: 'millrace-append-to-streams',
  text: 'select revision, done from millrace.append_to_streams($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) order by nth',
}

/**
 * Appends to several streams, each at most once here, in the transaction of `target` or, by the store, in one of its own.
 * Returns one outcome per append.
 */
export function appendToStreams(
  target: Pick<Store, 'run'> | Sql,
  appends: readonly StreamAppend[],
  { atomic, patienceMs = 0 }: AppendTerms,
): Promise<Appended[]> {
  const records = appends.flatMap((append) => append.records)
  const values = [
    appends.map(({ stream }) => stream),
    appends.map(({ expect }) => expectedNumber(expect)),
    appends.map((append) => append.records.length),
    records.map(({ id }) => id),
    records.map(({ type }) => type),
    records.map(({ version }) => version),
    records.map(({ data }) => data),
    records.map(({ meta }) => meta),
    atomic,
    patienceMs,
  ]
  return 'run' in target ? target.run<Appended>(statement, values) : target.query<Appended>(statement.text, values)
}
