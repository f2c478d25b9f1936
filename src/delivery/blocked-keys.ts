import type { LogRecord } from '../events/record.ts'
import type { TroubledDelivery } from './deliveries.ts'

interface Blocked {
  /** Positions that wait, in order; the first one is due at `dueAt`. */
  positions: number[]
  attempt: number
  dueAt: number
  /** Attempts of later ones that were tried before: an earlier one of their key came back. */
  tried?: Map<number, number>
}

/** The keys that wait for a retry, and what is held behind. What is here is stored too; this is the fast copy. */
export class BlockedKeys {
  readonly #alone: boolean
  #keys = new Map<string, Blocked>()

  /** @param alone each waits for itself, and holds nothing behind it */
  constructor(alone = false) {
    this.#alone = alone
  }

  get size(): number {
    return this.#keys.size
  }

  /** Events without a key wait each for itself. */
  keyOf({ key, position }: Pick<LogRecord, 'key' | 'position'>): string {
    return key === null || this.#alone ? `#${position}` : `=${key}`
  }

  /**
   * Takes over what is stored, in order of positions. What waits here already is due as early as it was: Postgres counts
   * by its own clock.
   */
  load(deliveries: readonly TroubledDelivery[], now: number): void {
    const known = this.#keys
    this.#keys = new Map()
    for (const delivery of deliveries) {
      const { position, attempt } = delivery
      const key = this.keyOf(delivery)
      const blocked = this.#keys.get(key)
      if (blocked === undefined) {
        const before = known.get(key)
        const same = before?.positions[0] === position && before.attempt === attempt
        const dueAt = now + (delivery.dueInMs ?? 0)
        this.#keys.set(key, { positions: [position], attempt, dueAt: same ? Math.min(before.dueAt, dueAt) : dueAt })
        continue
      }
      blocked.positions.push(position)
      if (attempt > 0) {
        blocked.tried ??= new Map()
        blocked.tried.set(position, attempt)
      }
    }
  }

  has(record: LogRecord): boolean {
    return this.#keys.size > 0 && this.#keys.has(this.keyOf(record))
  }

  /** The first waiting delivery that is due. */
  due(now: number): { key: string; position: number; attempt: number } | undefined {
    for (const [key, { positions, attempt, dueAt }] of this.#keys) {
      const [position] = positions
      if (dueAt <= now && position !== undefined) return { key, position, attempt }
    }
    return undefined
  }

  /** Milliseconds until something is due. */
  nextMs(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const { dueAt } of this.#keys.values()) next = Math.min(next, dueAt - now)
    return Math.max(0, next)
  }

  block(record: LogRecord, dueAt: number): void {
    this.#keys.set(this.keyOf(record), { positions: [record.position], attempt: 1, dueAt })
  }

  /** Behind what waits of its key; first in line, and due, where nothing does. */
  hold(record: LogRecord): void {
    const key = this.keyOf(record)
    const blocked = this.#keys.get(key)
    if (blocked !== undefined) blocked.positions.push(record.position)
    else this.#keys.set(key, { positions: [record.position], attempt: 0, dueAt: 0 })
  }

  retryAt(key: string, attempt: number, dueAt: number): void {
    const blocked = this.#keys.get(key)
    if (blocked === undefined) return
    blocked.attempt = attempt
    blocked.dueAt = dueAt
  }

  /** The first one of the key is over: the next is due at once, or the key is free. */
  advance(key: string): void {
    const blocked = this.#keys.get(key)
    if (blocked === undefined) return
    blocked.positions.shift()
    const [next] = blocked.positions
    if (next === undefined) {
      this.#keys.delete(key)
      return
    }
    blocked.attempt = blocked.tried?.get(next) ?? 0
    blocked.dueAt = 0
  }
}
