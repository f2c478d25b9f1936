import type { Feed } from '../events/feed.ts'
import type { Stretch } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import type { Selection } from '../events/selection.ts'

export interface ReplayFeedOptions {
  feed: Pick<Feed, 'take'>
  matches: (record: LogRecord) => boolean
  untilPosition: number
  /** Events per second; `null` without a limit. */
  rate: number | null
  /** One event at a time, and each only if this says so. */
  mayGoOn: (() => Promise<boolean>) | null
  /** Called when the rate allows more. */
  ready: () => void
}

/** How many positions to look at in one read, and how long to look on where nothing is found. */
const span = 1000
const lookMs = 50
/** How much of a second may come at once. */
const burst = 0.25

/** The part of the log that a replay is about, no faster than it may go. */
export class ReplayFeed {
  readonly #options: ReplayFeedOptions
  #allowed: number
  #since = performance.now()
  #timer: NodeJS.Timeout | undefined

  constructor(options: ReplayFeedOptions) {
    this.#options = options
    this.#allowed = this.#most
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  /** As a feed does, but with an end. */
  async take(after: number, limit: number, only: Selection): Promise<Stretch> {
    const { feed, matches, untilPosition, mayGoOn } = this.#options
    const most = Math.min(mayGoOn === null ? limit : 1, this.#allowance())
    if (most < 1 || (mayGoOn !== null && !(await mayGoOn()))) return { records: [], through: after }
    const since = performance.now()
    let at = after
    while (at < untilPosition) {
      const { records, through } = await feed.take(at, span, only)
      const found = records.filter(matches)
      if (found.length > 0) return this.#give(found, most, Math.min(through, untilPosition))
      if (through === at) break
      at = Math.min(through, untilPosition)
      if (performance.now() - since > lookMs) break
    }
    return { records: [], through: Math.max(after, at) }
  }

  #give(found: LogRecord[], most: number, through: number): Stretch {
    const records = found.length > most ? found.slice(0, most) : found
    this.#allowed -= records.length
    return { records, through: records.length < found.length ? (records.at(-1)?.position ?? through) : through }
  }

  get #most(): number {
    const { rate } = this.#options
    return rate === null ? Number.POSITIVE_INFINITY : Math.max(1, rate * burst)
  }

  /** How many events may be given out now; when there are none, it says later that there are. */
  #allowance(): number {
    const { rate, ready } = this.#options
    if (rate === null) return Number.POSITIVE_INFINITY
    const now = performance.now()
    this.#allowed = Math.min(this.#most, this.#allowed + ((now - this.#since) / 1000) * rate)
    this.#since = now
    if (this.#allowed < 1) {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(ready, Math.ceil(((1 - this.#allowed) / rate) * 1000))
    }
    return Math.floor(this.#allowed)
  }
}
