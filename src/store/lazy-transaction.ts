import { PlatformError } from '../kernel/errors.ts'
import { makeSql, type Queryable, type Sql } from './sql.ts'
import { commit, type Lent, type Store, type Transaction, transactionOn } from './store.ts'

/**
 * A transaction that begins with its first statement: work that never touches Postgres costs no connection and no round
 * trip. End it with exactly one `commit` or `rollback`; whoever uses it later is refused with TRANSACTION_ENDED.
 */
export class LazyTransaction {
  readonly sql: Sql
  readonly #store: Store
  #begun: Promise<Lent> | undefined
  #shared: Transaction | undefined
  #ended = false

  constructor(store: Store) {
    this.#store = store
    this.sql = makeSql(async () => (await this.open()).client)
  }

  get begun(): boolean {
    return this.#begun !== undefined
  }

  get ended(): boolean {
    return this.#ended
  }

  async open(): Promise<Transaction> {
    const client = await this.#client()
    this.#shared ??= transactionOn(client)
    return this.#shared
  }

  async commit(): Promise<void> {
    await this.#end((client) => commit(client))
  }

  /** Never throws: a connection that cannot roll back is gone, and the work with it. */
  async rollback(): Promise<void> {
    await this.#end((client) => client.query('rollback')).catch(() => undefined)
  }

  async #client(): Promise<Queryable> {
    // Begun again, it would hold its connection and its locks for ever: nobody is left to end it.
    if (this.#ended) throw new PlatformError('TRANSACTION_ENDED', 'the transaction of this work has ended')
    this.#begun ??= this.#begin()
    return (await this.#begun).client
  }

  async #begin(): Promise<Lent> {
    const lent = await this.#store.acquire()
    try {
      await lent.client.query('begin')
    } catch (error) {
      lent.release()
      throw error
    }
    return lent
  }

  async #end(how: (client: Lent['client']) => Promise<unknown>): Promise<void> {
    this.#ended = true
    if (this.#begun === undefined) return
    const lent = await this.#begun
    this.#begun = undefined
    try {
      await how(lent.client)
    } catch (error) {
      if (!(error instanceof PlatformError)) lent.client.emit('error', error)
      throw error
    } finally {
      lent.release()
    }
  }
}
