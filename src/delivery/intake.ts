import type { Feed } from '../events/feed.ts'
import type { Stretch } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import type { BatchSize } from './batch-size.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import type { Share } from './share.ts'

export interface IntakeDeps {
  feed: Pick<Feed, 'take'>
  share: Pick<Share, 'awaits'>
  batch: BatchSize
}

/** How much data a batch that is being gathered may hold. */
const mostBytes = 8 * 1024 * 1024
/** Positions to look at for a batch of given size. */
const leastSpan = 1000

/** What is taken of the log for the next turn. Consumers with `maxWait` gather until their batch is full. */
export class Intake {
  readonly #spec: ConsumerSpec
  readonly #deps: IntakeDeps
  #gathered: LogRecord[] = []
  #through = 0
  #bytes = 0
  #until = Number.POSITIVE_INFINITY

  constructor(spec: ConsumerSpec, deps: IntakeDeps) {
    this.#spec = spec
    this.#deps = deps
  }

  /** Milliseconds until a batch that is being gathered goes as it is. */
  get restMs(): number {
    return Math.max(0, this.#until - performance.now())
  }

  /** Forgets what was gathered: its place has not moved, so it comes again. */
  drop(): void {
    this.#gathered = []
    this.#through = 0
    this.#bytes = 0
    this.#until = Number.POSITIVE_INFINITY
  }

  /** The next records after `from`; `more` when there may be more of them at once, `none` when there is nothing to do. */
  async take(from: number): Promise<Stretch | 'more' | 'none'> {
    const { batch } = this.#spec
    if (batch === undefined || batch.maxWaitMs === 0) {
      const span = batch === undefined ? this.#deps.batch.size : Math.min(this.#span(batch.size), this.#deps.batch.most)
      const stretch = await this.#read(from, span)
      return stretch.through === from ? 'none' : stretch
    }
    return this.#gather(from, batch)
  }

  async #gather(
    from: number,
    { size, maxWaitMs }: { size: number; maxWaitMs: number },
  ): Promise<Stretch | 'more' | 'none'> {
    const after = Math.max(from, this.#through)
    const span = Math.min(this.#span(size), this.#deps.batch.most)
    const { records, through } = await this.#read(after, span)
    if (this.#gathered.length === 0 && records.length === 0) return through === after ? 'none' : { records, through }
    if (this.#gathered.length === 0) this.#until = performance.now() + maxWaitMs
    this.#gathered.push(...records)
    this.#through = through
    this.#bytes += bytesOf(records)
    const full = this.#gathered.length >= size || this.#bytes >= mostBytes
    if (!full && this.restMs > 0) return through === after ? 'none' : 'more'
    const stretch = { records: this.#gathered, through }
    this.drop()
    return stretch
  }

  async #read(after: number, span: number): Promise<Stretch> {
    const { feed, share, batch } = this.#deps
    const { records, through } = await feed.take(after, span, this.#spec.selection)
    if (records.length > 0) batch.saw(through - after, bytesOf(records))
    return { records: records.filter((record) => share.awaits(record) && this.#spec.matches(record)), through }
  }

  #span(size: number): number {
    return Math.max(leastSpan, size)
  }
}

function bytesOf(records: readonly LogRecord[]): number {
  let bytes = 0
  for (const { data } of records) bytes += data.length
  return bytes
}
