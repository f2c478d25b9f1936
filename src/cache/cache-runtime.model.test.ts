import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimulatedDatabase, type Version } from '../../test/support/simulated-database.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { Metrics } from '../kernel/metrics.ts'
import { type CacheRuntime, cacheRuntime } from './cache-runtime.ts'
import { cacheMeters } from './cache-stats.ts'
import { Fence } from './fence.ts'
import { Loads } from './load.ts'
import { MemoryLevel } from './memory-level.ts'
import type { Xid } from './snapshot.ts'

const keys = ['a', 'b', 'c']

type Step = readonly [
  (
    | 'get'
    | 'write'
    | 'delete'
    | 'move'
    | 'truncate'
    | 'idle'
    | 'commit'
    | 'show'
    | 'deliver'
    | 'execute'
    | 'finish'
    | 'evict'
    | 'cut'
    | 'crash'
    | 'reset'
    | 'wait'
  ),
  number,
]

/** Reads and their invalidations often, mishaps seldom. */
const step = (weight: number, kind: Step[0]): { weight: number; arbitrary: fc.Arbitrary<Step> } => ({
  weight,
  arbitrary: fc.tuple(fc.constant(kind), fc.nat(5)),
})
const steps = fc.array(
  fc.oneof(
    step(8, 'get'),
    step(4, 'write'),
    step(1, 'delete'),
    step(1, 'move'),
    step(1, 'truncate'),
    step(1, 'idle'),
    step(6, 'commit'),
    step(4, 'show'),
    step(6, 'deliver'),
    step(8, 'execute'),
    step(8, 'finish'),
    step(1, 'evict'),
    step(1, 'cut'),
    step(1, 'crash'),
    step(1, 'reset'),
    step(4, 'wait'),
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
)

/** The parts of the fence, so that a test can leave one out. */
interface Parts {
  Fence: typeof Fence
  Loads: typeof Loads
  suspend: (cache: CacheRuntime) => void
}
const whole: Parts = { Fence, Loads, suspend: (cache) => cache.suspend() }

test('no value loaded before an invalidation is served after it was delivered', async () => {
  await fc.assert(model(whole), { numRuns: 20_000 })
}, 120_000)

test.each<[string, Partial<Parts>]>([
  [
    'without looking at snapshots',
    {
      Fence: class extends Fence {
        override admits = (): boolean => true
      },
    },
  ],
  [
    'without remembering invalidations by key',
    {
      Fence: class extends Fence {
        override required = (): Xid | undefined => undefined
      },
    },
  ],
  [
    'when keys are forgotten as the log breaks off',
    {
      Fence: class extends Fence {
        override forgetKeys(): void {}
      },
    },
  ],
  [
    'when a load is kept though an invalidation overtook it',
    {
      Loads: class<V, Id> extends Loads<V, Id> {
        override overtake(): void {}
      },
    },
  ],
  ['when entries outlive a crash of the server', { suspend: () => {} }],
])(
  '%s it would not hold',
  async (_, part) => {
    const details = await fc.check(model({ ...whole, ...part }), { numRuns: 20_000, endOnFailure: true })
    expect(messageOf(details.errorInstance)).toContain('had been delivered')
  },
  120_000,
)

function model(parts: Parts): fc.IAsyncProperty<[Step[]]> {
  return fc.asyncProperty(steps, async (list) => {
    const run = new Run(parts)
    for (const one of list) {
      run.step(one)
      await microtasks()
    }
    await run.end()
  })
}

/** One history: a cache over a simulated database, and what each caller may be told. */
class Run {
  readonly #db = new SimulatedDatabase(keys)
  readonly #clock = new StandingClock()
  readonly #cache: CacheRuntime<Version, string>
  readonly #suspend: () => void
  readonly #asked: Promise<void>[] = []
  /** How much of the log was delivered ever, and how much since the log was last taken up. */
  #delivered = 0
  #at = 0
  #wrong: string | undefined

  constructor(parts: Parts) {
    this.#cache = openCache(this.#db, this.#clock, parts)
    this.#suspend = () => parts.suspend(this.#cache as CacheRuntime)
    this.#cache.resume()
  }

  step([kind, n]: Step): void {
    const db = this.#db
    const key = keys[n % keys.length] as string
    const steps: Record<Step[0], () => void> = {
      get: () => this.#get(key),
      write: () => db.begin({ kind: 'write', key }),
      delete: () => db.begin({ kind: 'delete', key }),
      move: () => db.begin({ kind: 'move', key, to: keys[(n + 1) % keys.length] as string }),
      truncate: () => db.begin({ kind: 'truncate' }),
      idle: () => db.idle(),
      commit: () => db.commit(n),
      show: () => db.show(n),
      deliver: () => this.#deliver(),
      execute: () => db.execute(n),
      finish: () => db.finish(n),
      evict: () => void this.#cache.evict(key),
      cut: () => this.#cut(n),
      crash: () => {
        db.crash()
        this.#cut(n)
      },
      reset: () => this.#cache.reset(),
      wait: () => this.#clock.release(),
    }
    steps[kind]()
    if (this.#wrong !== undefined) throw new Error(this.#wrong)
  }

  /** Lets everything come to rest: every caller has an answer, and memory holds the truth. */
  async end(): Promise<void> {
    while (this.#db.openCount > 0) this.#db.commit(0)
    while (this.#db.hiddenCount > 0) this.#db.show(0)
    while (this.#at < this.#db.log.length) this.#deliver()
    await this.#settle()
    for (const key of keys) this.#get(key)
    await this.#settle()
    await Promise.all(this.#asked)
    if (this.#wrong !== undefined) throw new Error(this.#wrong)
  }

  async #settle(): Promise<void> {
    do {
      this.#clock.release()
      await microtasks()
      this.#db.execute(0)
      this.#db.finish(0)
      await microtasks()
    } while (this.#db.pending.length > 0 || this.#clock.sleeping > 0)
  }

  #get(key: string): void {
    const from = this.#delivered
    const check = (version: Version): void => {
      // Any state since the last delivery will do: the database may be further than the log.
      for (let count = from; count <= this.#db.log.length; count += 1) {
        if (this.#db.stateOf(key, count) === version) return
      }
      this.#wrong ??= `${key} was ${version} though ${from} of the log had been delivered`
    }
    const crashed = (error: unknown): void => {
      if (!messageOf(error).includes('the server crashed')) this.#wrong ??= messageOf(error)
    }
    this.#asked.push(this.#cache.get(key).then(check, crashed))
  }

  #deliver(): void {
    if (this.#at >= this.#db.log.length) return
    this.#cache.invalidate([this.#db.invalidation(this.#at)])
    this.#at += 1
    this.#delivered = Math.max(this.#delivered, this.#at)
  }

  /** The log breaks off and is taken up a little earlier. */
  #cut(back: number): void {
    this.#suspend()
    this.#at = Math.max(0, this.#at - back)
    if (back % 2 === 0) this.#cache.resume()
    else {
      this.#get(keys[0] as string)
      this.#deliver()
      this.#cache.resume()
    }
  }
}

function openCache(db: SimulatedDatabase, clock: Clock, parts: Parts): CacheRuntime<Version, string> {
  // Small limits, so that short histories meet evictions and a crowded fence.
  const level = new MemoryLevel<Version>({ max: 2, clock })
  const fence = new parts.Fence(2)
  const meters = cacheMeters(new Metrics(), 'model', () => level.size)
  const source = db.source()
  const loads = new parts.Loads<Version, string>({
    name: 'model',
    source,
    fence,
    clock,
    keep: (key, value, { snapshot }) => void level.set(key, { value, snapshot, expiresAt: Number.POSITIVE_INFINITY }),
    loaded() {},
  })
  return cacheRuntime<Version, string, string>({
    keys: { textOf: String, parse: (id) => ({ key: id, id }) },
    formerKey: (before) => String(before['id']),
    follows: true,
    level,
    fence,
    loads,
    source,
    meters,
  })
}

/** Time stands; sleepers wake when the test says so. */
class StandingClock implements Clock {
  #sleepers: (() => void)[] = []

  get sleeping(): number {
    return this.#sleepers.length
  }
  now(): number {
    return 0
  }
  sleep(): Promise<void> {
    return new Promise((resolve) => void this.#sleepers.push(resolve))
  }
  release(): void {
    for (const wake of this.#sleepers.splice(0)) wake()
  }
}

async function microtasks(): Promise<void> {
  for (let i = 0; i < 12; i += 1) await undefined
}
