import type { CacheInvalidation } from '../../src/cache/cache-runtime.ts'
import { type Snapshot, sees, type Xid } from '../../src/cache/snapshot.ts'
import type { CacheSource, Loaded, Wanted } from '../../src/cache/source.ts'

/** What a row holds: the transaction that wrote it. `undefined` when there is no row. */
export type Version = Xid | undefined

type Effect =
  | { kind: 'write' | 'delete'; key: string }
  | { kind: 'move'; key: string; to: string }
  | { kind: 'truncate' }

interface Transaction {
  readonly xid: Xid
  readonly effect: Effect
}

interface PendingLoad {
  readonly keys: readonly string[]
  result: Loaded<Version> | undefined
  readonly resolve: (loaded: Loaded<Version>) => void
  readonly reject: (error: Error) => void
}

/**
 * Postgres as far as a cache can tell: transactions take ids, lock rows, commit into the write-ahead log, become visible
 * some time later and release their locks only then; each read sees a snapshot. The test decides when anything happens.
 */
export class SimulatedDatabase {
  readonly keys: readonly string[]
  /** Committed transactions in commit order. */
  readonly log: Transaction[] = []
  readonly pending: PendingLoad[] = []
  #open: Transaction[] = []
  #visible = new Set<Transaction>()
  #nextXid: Xid = 100

  constructor(keys: readonly string[]) {
    this.keys = keys
  }

  get openCount(): number {
    return this.#open.length
  }

  get hiddenCount(): number {
    return this.log.length - this.#visible.size
  }

  /** Begins a transaction, unless a row it touches is locked: then it would wait, and here it does not begin. */
  begin(effect: Effect): void {
    const locked = [...this.#open, ...this.#hidden()].flatMap(({ effect: other }) => this.touches(other))
    if (this.touches(effect).some((key) => locked.includes(key))) return
    this.#open.push({ xid: this.#nextXid, effect })
    this.#nextXid += 1
  }

  /** Begins a transaction that touches nothing: it only holds back xmin. */
  idle(): void {
    this.#open.push({ xid: this.#nextXid, effect: { kind: 'write', key: 'elsewhere' } })
    this.#nextXid += 1
  }

  commit(index: number): void {
    const [transaction] = this.#open.splice(index % Math.max(1, this.#open.length), 1)
    if (transaction !== undefined) this.log.push(transaction)
  }

  /** Shows a committed transaction to readers, which also releases its locks. */
  show(index: number): void {
    const hidden = this.#hidden()
    const transaction = hidden[index % Math.max(1, hidden.length)]
    if (transaction !== undefined) this.#visible.add(transaction)
  }

  /** Ends every connection. What committed stays and shows; ids that left no trace in the log are given out again. */
  crash(): void {
    for (const load of this.pending.splice(0)) load.reject(new Error('the server crashed'))
    this.#open = []
    this.#visible = new Set(this.log)
    this.#nextXid = this.log.reduce((max, { xid }) => Math.max(max, xid), 99) + 1
  }

  touches(effect: Effect): readonly string[] {
    if (effect.kind === 'truncate') return this.keys
    return effect.kind === 'move' ? [effect.key, effect.to] : [effect.key]
  }

  /** The row's state after the first `count` transactions of the log, by those that `seen` picks. */
  stateOf(key: string, count: number, seen: (xid: Xid) => boolean = () => true): Version {
    let version: Version
    for (const { xid, effect } of this.log.slice(0, count)) {
      if (!seen(xid) || !this.touches(effect).includes(key)) continue
      const writes = (effect.kind === 'write' && effect.key === key) || (effect.kind === 'move' && effect.to === key)
      version = writes ? xid : undefined
    }
    return version
  }

  /** The change as the log tells it. */
  invalidation(position: number): CacheInvalidation {
    const { xid, effect } = this.log[position] as Transaction
    const meta = { xid: String(xid), position: position + 1 }
    if (effect.kind === 'truncate') return { ...meta, change: { op: 'truncate', key: '', before: null } }
    if (effect.kind === 'move') return { ...meta, change: { op: 'update', key: effect.to, before: { id: effect.key } } }
    return { ...meta, change: { op: effect.kind === 'write' ? 'update' : 'delete', key: effect.key, before: null } }
  }

  /** Runs the statement of a load: what it reads is settled here, when it arrives is not. */
  execute(index: number): void {
    const load = this.pending[index % Math.max(1, this.pending.length)]
    if (load === undefined || load.result !== undefined) return
    const snapshot = this.#snapshot()
    const values = new Map<string, Version>()
    for (const key of load.keys) {
      const version = this.stateOf(key, this.log.length, (xid) => sees(snapshot, xid))
      if (version !== undefined) values.set(key, version)
    }
    load.result = { snapshot, values }
  }

  /** Brings the result of an executed statement home. */
  finish(index: number): void {
    const executed = this.pending.filter(({ result }) => result !== undefined)
    const load = executed[index % Math.max(1, executed.length)]
    if (load?.result === undefined) return
    this.pending.splice(this.pending.indexOf(load), 1)
    load.resolve(load.result)
  }

  source(): CacheSource<Version, string> {
    return {
      maxKeys: 3,
      concurrency: 3,
      load: (wanted: readonly Wanted<string>[]) =>
        new Promise((resolve, reject) => {
          this.pending.push({ keys: wanted.map(({ key }) => key), result: undefined, resolve, reject })
        }),
      snapshot: async () => this.#snapshot(),
      blamesKey: () => false,
    }
  }

  #snapshot(): Snapshot {
    const xip = [...this.#open, ...this.#hidden()].map(({ xid }) => xid).sort((a, b) => a - b)
    return { xmin: xip[0] ?? this.#nextXid, xmax: this.#nextXid, xip }
  }

  #hidden(): Transaction[] {
    return this.log.filter((transaction) => !this.#visible.has(transaction))
  }
}
