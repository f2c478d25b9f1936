import type { JobDefinition } from './job-definition.ts'
import type { Run, Want } from './runs.ts'

/** Most jobs that one process takes ahead of one queue. */
const maxAhead = 500
/** Jobs taken at once should be begun within about this time: what waits here, nobody else can take. */
const shortMs = 25
const longMs = 100
const staleMs = 400

/** One queue in one process: what was taken and not begun yet, and how much to take. */
export class Lane {
  readonly definition: JobDefinition<never>
  running = 0
  /** A pump is on its way. */
  pumping = false
  /** The next one last. */
  #waiting: Run[] = []
  #size: number
  #takenAt = 0
  #measured = true

  constructor(definition: JobDefinition<never>) {
    this.definition = definition
    this.#size = definition.options.concurrency
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** `undefined` while enough is here: small claims are not worth their round trip. */
  want(): Want | undefined {
    const { name, options } = this.definition
    const room = this.#size - this.#waiting.length - this.running
    if (room < 1 || (this.#waiting.length > 0 && room < this.#size / 2)) return undefined
    return { queue: name, count: room, perLane: options.perKey?.concurrency ?? null }
  }

  take(runs: readonly Run[]): void {
    this.#takenAt = performance.now()
    this.#measured = false
    this.#waiting.push(...runs)
    this.#waiting.sort(lastFirst)
  }

  next(): Run | undefined {
    if (this.running >= this.definition.options.concurrency) return undefined
    const run = this.#waiting.pop()
    if (run !== undefined) this.running += 1
    return run
  }

  /** One that was begun has ended. */
  left(): void {
    this.running -= 1
    if (this.#waiting.length === 0 && !this.#measured) this.#adapt()
  }

  /** What was taken but is not begun in time, for others: the work has become longer. */
  stale(): Run[] {
    if (this.#waiting.length === 0 || performance.now() - this.#takenAt < staleMs) return []
    this.#size = this.definition.options.concurrency
    return this.drop()
  }

  drop(): Run[] {
    return this.#waiting.splice(0)
  }

  #adapt(): void {
    const { concurrency } = this.definition.options
    const tookMs = performance.now() - this.#takenAt
    this.#measured = true
    if (tookMs < shortMs) this.#size = Math.min(Math.max(maxAhead, concurrency), this.#size * 2)
    else if (tookMs > longMs) this.#size = Math.max(concurrency, Math.floor(this.#size / 2))
  }
}

function lastFirst(a: Run, b: Run): number {
  if (a.priority !== b.priority) return a.priority - b.priority
  if (a.runAt !== b.runAt) return Date.parse(b.runAt) - Date.parse(a.runAt) || (b.id < a.id ? -1 : 1)
  return b.id < a.id ? -1 : 1
}
