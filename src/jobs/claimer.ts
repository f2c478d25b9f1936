import type { Level, Run, Want } from './runs.ts'

/** A claim that takes longer than this has met many dead rows. */
const slowMs = 15
/** So many in a row must have taken long: one alone was the machine's fault. */
const looks = 3
/** Complete looks may take this part of the time, but one is made each second. */
const share = 1 / 20
const longestMs = 1000
/** How much earlier than the last one claimed a job may be due and still be found at once: it may have committed later. */
const marginMs = 1000
const maxLevels = 100

/**
 * Claims jobs, from the very beginning of each queue as long as that is quick. When an old snapshot keeps Postgres from
 * removing what was claimed, it goes on from where it stands, and begins at the beginning now and then, for what came in
 * behind it.
 */
export class Claimer {
  readonly #claim: (wants: readonly Want[], levels?: readonly Level[]) => Promise<Run[]>
  /** By queue and priority, the latest due time of what was claimed. */
  readonly #reached = new Map<string, { queue: string; priority: number; ms: number }>()
  #tookMs: number[] = []
  #completeAt = 0

  constructor(claim: (wants: readonly Want[], levels?: readonly Level[]) => Promise<Run[]>) {
    this.#claim = claim
  }

  /** True while complete looks are too slow to be made each time. */
  get hampered(): boolean {
    return this.#tookMs.length === looks && Math.min(...this.#tookMs) > slowMs
  }

  async claim(wants: readonly Want[]): Promise<Run[]> {
    const since = performance.now()
    // Lanes without room leave jobs behind the place reached.
    const complete =
      !this.hampered ||
      since - this.#completeAt > Math.min(longestMs, Math.min(...this.#tookMs) / share) ||
      wants.some(({ perLane }) => perLane !== null)
    const runs = await this.#claim(wants, complete ? undefined : this.#levels(wants))
    if (complete) {
      this.#completeAt = performance.now()
      this.#tookMs.push(this.#completeAt - since)
      if (this.#tookMs.length > looks) this.#tookMs.shift()
    }
    for (const { queue, priority, runAt } of runs) {
      const key = `${priority} ${queue}`
      const ms = Date.parse(runAt)
      const known = this.#reached.get(key)
      if (known === undefined) this.#reached.set(key, { queue, priority, ms })
      else if (ms > known.ms) known.ms = ms
    }
    if (this.#reached.size > maxLevels) this.#reached.clear()
    return runs
  }

  #levels(wants: readonly Want[]): Level[] {
    return [...this.#reached.values()]
      .filter(({ queue }) => wants.some((want) => want.queue === queue))
      .sort((a, b) => b.priority - a.priority)
      .map(({ queue, priority, ms }) => ({ queue, priority, from: new Date(ms - marginMs) }))
  }
}
