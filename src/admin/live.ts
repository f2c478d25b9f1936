import { messageOf } from '../kernel/errors.ts'
import { compileSchema, type Schema, t } from '../kernel/schema.ts'
import { consumerViews } from './consumers.ts'
import type { ConsumerView, Overview, StreamTopics } from './contract.ts'
import { EachSecond } from './each-second.ts'
import { eventMatcher, summaryOf } from './event-list.ts'
import { overviewOf } from './overview.ts'
import type { Rates } from './rates.ts'
import type { AdminSources } from './sources.ts'
import { ratesOf, topologyOf } from './topology.ts'

export interface Frame {
  topic: string
  data: unknown
  id?: number
}
type Push = (frame: Frame) => boolean

const eventFilter = { type: t.optional(t.string()), key: t.optional(t.string()), text: t.optional(t.string()) }
const topics = ['events', 'overview', 'rates', 'consumers'] as const
const frameGapMs = 250
/** A frame has no more events than a person can follow; the rest is counted as skipped. */
const mostPerFrame = 100

/** The live stream of the console: every second what the pages show, at most four times a second what happens. */
export class Live {
  readonly topics: readonly string[] = topics
  readonly filter: Schema<unknown> = compileSchema(eventFilter)
  readonly #sources: AdminSources
  readonly #rates: Rates
  /** What all clients see of one second is made once. */
  readonly #views: EachSecond<ConsumerView[]>
  readonly #overview: EachSecond<Overview>

  constructor(sources: AdminSources, rates: Rates) {
    this.#sources = sources
    this.#rates = rates
    this.#views = new EachSecond(rates, () => consumerViews(sources, rates))
    this.#overview = new EachSecond(rates, () => overviewOf(sources, rates, () => this.#views.get()))
  }

  subscribe(
    request: { topics: readonly string[]; filter: unknown; lastEventId: string | undefined },
    push: Push,
  ): () => void {
    const stops: (() => void)[] = []
    if (request.topics.includes('events')) stops.push(this.#events(request.filter as Filter, request.lastEventId, push))
    for (const topic of request.topics) if (topic !== 'events') stops.push(this.#everySecond(topic, push))
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** Each topic by itself: the overview has an answer while Postgres is away, the others have none. */
  #everySecond(topic: string, push: Push): () => void {
    let left = false
    let telling = false
    const tell = async (): Promise<void> => {
      // While the store is slow, seconds are left out instead of piling up.
      if (telling) return
      telling = true
      try {
        const data = await this.#dataOf(topic)
        if (!left) push({ topic, data })
      } catch (error) {
        this.#sources.logger.debug({ topic, error: messageOf(error) }, 'the live stream leaves out a second')
      } finally {
        telling = false
      }
    }
    void tell()
    const unsubscribe = this.#rates.onSample(() => void tell())
    return () => {
      left = true
      unsubscribe()
    }
  }

  async #dataOf(topic: string): Promise<unknown> {
    if (topic === 'overview') return this.#overview.get()
    const views = await this.#views.get()
    return topic === 'rates' ? ratesOf(topologyOf(this.#sources, this.#rates, views)) : views
  }

  /** A client that returns gets what it missed, as far as memory goes back. */
  #events(filter: Filter, lastEventId: string | undefined, push: Push): () => void {
    const { feed } = this.#sources
    const matches = eventMatcher(filter)
    const returning = Number(lastEventId)
    let told = Number.isSafeInteger(returning) && returning > 0 && returning <= feed.head ? returning : feed.head
    let timer: NodeJS.Timeout | undefined
    const tell = (): void => {
      timer = undefined
      const head = feed.head
      const fresh = feed.kept(told)
      const found = (fresh ?? feed.kept(head - mostPerFrame) ?? []).filter(matches)
      const shown = found.slice(-mostPerFrame)
      // What memory has lost was not looked at: it counts whole, whatever the filter would have left of it.
      const skipped = fresh === undefined ? head - told - shown.length : found.length - shown.length
      told = head
      if (shown.length === 0 && skipped === 0) return
      const data: StreamTopics['events'] = { events: shown.map(summaryOf), skipped, head }
      push({ topic: 'events', data, id: head })
    }
    const soon = (): void => {
      timer ??= setTimeout(tell, frameGapMs)
    }
    const unsubscribe = feed.subscribe({ advanced: soon, cut() {}, resumed: soon })
    if (told < feed.head) soon()
    return () => {
      unsubscribe()
      clearTimeout(timer)
    }
  }
}

interface Filter {
  type?: string
  key?: string
  text?: string
}
