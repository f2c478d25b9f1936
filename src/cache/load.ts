import type { Clock } from '../kernel/clock.ts'
import { messageOf, PlatformError, type PlatformErrorOptions } from '../kernel/errors.ts'
import type { Fence, Floor } from './fence.ts'
import type { Snapshot, Xid } from './snapshot.ts'
import type { CacheSource, Loaded, Wanted } from './source.ts'

/** How long a load is repeated while the database does not show a commit that the log already has. */
const behindMaxMs = 2000

/** One key on its way in, for everyone who asked. */
interface Load<V, Id> extends Wanted<Id> {
  readonly promise: Promise<V | undefined>
  readonly resolve: (value: V | undefined) => void
  readonly reject: (error: unknown) => void
  /** On its way: a caller who asks after the next invalidation must not join it any more. */
  sent: boolean
  /** What it must see; fixed when it is sent. */
  required: Xid | undefined
  /** When the database first proved behind the log for this key. */
  behindSince: number | undefined
}

export interface LoadsOptions<V, Id> {
  /** Name of the cache, for messages. */
  name: string
  source: CacheSource<V, Id>
  fence: Fence
  clock: Clock
  /** A value that may be kept. `sentAt` is when its load began, in milliseconds since the epoch. */
  keep: (key: string, value: V | undefined, from: { snapshot: Snapshot | undefined; sentAt: number }) => void
  /** Called for each finished statement. */
  loaded: (keys: number, tookMs: number) => void
}

/**
 * Loads what is missing: one load per key however many ask, many keys per statement. A load that an invalidation
 * overtakes still answers those who asked before it, but nobody after, and its value is not kept.
 */
export class Loads<V, Id> {
  readonly #options: LoadsOptions<V, Id>
  readonly #closed = new AbortController()
  /** The loads that a caller may join. */
  readonly #open = new Map<string, Load<V, Id>>()
  #queue: Load<V, Id>[] = []
  #active = 0
  #pumping = false
  #keeping = true
  #idle: (() => void) | undefined

  constructor(options: LoadsOptions<V, Id>) {
    this.#options = options
  }

  /** Keys that are being loaded or wait for it. */
  get size(): number {
    return this.#open.size
  }

  /** The load of this key that a caller may join, if there is one. */
  joinable(key: string): Promise<V | undefined> | undefined {
    return this.#open.get(key)?.promise
  }

  /** Begins to load a key that nobody loads. */
  start({ key, id }: Wanted<Id>): Promise<V | undefined> {
    const load = newLoad<V, Id>(key, id)
    if (this.#closed.signal.aborted) {
      load.reject(this.#closedError())
      return load.promise
    }
    this.#open.set(key, load)
    this.#enqueue(load)
    return load.promise
  }

  /** Whoever asks for the key from now on gets a value loaded from now on. */
  overtake(key: string): void {
    if (this.#open.get(key)?.sent === true) this.#open.delete(key)
  }

  overtakeAll(): void {
    for (const load of this.#open.values()) if (load.sent) this.#open.delete(load.key)
  }

  /** While false, values are only given to those who ask. */
  set keeping(keeping: boolean) {
    this.#keeping = keeping
    if (!keeping) this.overtakeAll()
  }

  /** Fails what waits and resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed.abort()
    for (const load of this.#queue.splice(0)) load.reject(this.#closedError())
    this.#open.clear()
    if (this.#active > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
  }

  #enqueue(load: Load<V, Id>): void {
    this.#queue.push(load)
    if (this.#pumping) return
    this.#pumping = true
    // Everything asked for in this turn goes into one statement.
    queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    this.#pumping = false
    const { maxKeys, concurrency } = this.#options.source
    while (this.#queue.length > 0 && this.#active < concurrency) {
      this.#active += 1
      void this.#run(this.#queue.splice(0, maxKeys))
    }
  }

  async #run(batch: readonly Load<V, Id>[]): Promise<void> {
    await this.#turn(batch)
    this.#active -= 1
    if (this.#active === 0) this.#idle?.()
    this.#pump()
  }

  /** One statement and what follows from it. Never rejects: the callers get the errors. */
  async #turn(batch: readonly Load<V, Id>[]): Promise<void> {
    const { source, fence, clock, loaded } = this.#options
    const sentAt = clock.now()
    const floor = fence.floor
    for (const load of batch) this.#markSent(load)
    try {
      const result = await source.load(batch)
      loaded(batch.length, clock.now() - sentAt)
      if (result.snapshot !== undefined) fence.seen(result.snapshot)
      for (const load of batch) this.#finish(load, { ...result, sentAt, floor })
    } catch (error) {
      if (batch.length > 1 && source.blamesKey(error)) await this.#halve(batch)
      else for (const load of batch) this.#fail(load, error)
    }
  }

  /** One key spoilt the statement: halving finds it in a few more, and only its callers fail. */
  async #halve(batch: readonly Load<V, Id>[]): Promise<void> {
    const half = batch.length >> 1
    await this.#turn(batch.slice(0, half))
    await this.#turn(batch.slice(half))
  }

  #markSent(load: Load<V, Id>): void {
    load.sent = true
    load.required = this.#options.fence.required(load.key)
    if (!this.#keeping) this.#detach(load)
  }

  #finish(load: Load<V, Id>, { values, snapshot, sentAt, floor }: Loaded<V> & { sentAt: number; floor: Floor }): void {
    if (snapshot !== undefined && !this.#options.fence.admits(snapshot, load.required, floor)) {
      this.#again(load)
      return
    }
    const value = values.get(load.key)
    // Still open: no invalidation of this key came since it was sent.
    if (this.#detach(load)) this.#options.keep(load.key, value, { snapshot, sentAt })
    load.resolve(value)
  }

  /** The log was faster than the database: the commit is written but readers do not see it yet. */
  #again(load: Load<V, Id>): void {
    const { clock } = this.#options
    load.behindSince ??= clock.now()
    const behindMs = clock.now() - load.behindSince
    if (behindMs >= behindMaxMs) {
      const reason = `transaction ${load.required ?? ''} committed, but Postgres does not show it to readers yet`
      this.#fail(
        load,
        this.#loadError(load, reason, { hint: 'A synchronous standby that is away holds commits back.' }),
      )
      return
    }
    load.sent = false
    // 1 ms at first, then a quarter of the time waited so far.
    void clock.sleep(Math.max(1, behindMs / 4), this.#closed.signal).then(() => {
      if (this.#closed.signal.aborted) load.reject(this.#closedError())
      else this.#enqueue(load)
    })
  }

  #fail(load: Load<V, Id>, error: unknown): void {
    this.#detach(load)
    load.reject(error instanceof PlatformError ? error : this.#loadError(load, messageOf(error), { cause: error }))
  }

  /** Lets nobody join any more; says whether that was still possible. */
  #detach(load: Load<V, Id>): boolean {
    return this.#open.get(load.key) === load && this.#open.delete(load.key)
  }

  #loadError({ key }: Load<V, Id>, reason: string, options: PlatformErrorOptions): PlatformError {
    const code = this.#options.source.blamesKey(options.cause) ? 'INPUT_INVALID' : 'LOAD_FAILED'
    return new PlatformError(code, `cache "${this.#options.name}": key ${key}: ${reason}`, options)
  }

  #closedError(): PlatformError {
    return new PlatformError('APP_NOT_RUNNING', `cache "${this.#options.name}" is closed`)
  }
}

function newLoad<V, Id>(key: string, id: Id): Load<V, Id> {
  let resolve: (value: V | undefined) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<V | undefined>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { key, id, promise, resolve, reject, sent: false, required: undefined, behindSince: undefined }
}
