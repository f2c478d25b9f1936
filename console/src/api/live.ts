import type { StreamTopics } from '../contract.ts'
import { apiUrl } from './call.ts'

export type Topic = keyof StreamTopics
export interface EventsFilter {
  type?: string | undefined
  key?: string | undefined
  text?: string | undefined
}
export type Connection = 'off' | 'connecting' | 'live' | 'reconnecting' | 'hidden'
type Listener<T extends Topic> = (data: StreamTopics[T]) => void

interface Subscription {
  topic: Topic
  listener: (data: never) => void
  filter: EventsFilter
}

const firstRetryMs = 500
const lastRetryMs = 8_000

/**
 * One EventSource for the whole tab, whatever the number of widgets: HTTP/1.1 allows six connections to a host. The
 * topics are the union of what is subscribed; the filter of `events` is that of its newest subscriber. A hidden tab
 * holds no connection.
 */
export class LiveStream {
  readonly #subscriptions = new Set<Subscription>()
  readonly #watchers = new Set<() => void>()
  #source: EventSource | undefined
  #address = ''
  #state: Connection = 'off'
  #opened = 0
  #retryMs = firstRetryMs
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    document.addEventListener('visibilitychange', () => this.#settle())
  }

  subscribe<T extends Topic>(topic: T, listener: Listener<T>, filter: EventsFilter = {}): () => void {
    const subscription: Subscription = { topic, listener, filter }
    this.#subscriptions.add(subscription)
    this.#schedule(0)
    return () => {
      this.#subscriptions.delete(subscription)
      this.#schedule(0)
    }
  }

  /** Called when the server refuses the line, as it does to a reader who is signed out. */
  onRefused: () => void = () => undefined

  /** For useSyncExternalStore. */
  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
  state = (): Connection => this.#state
  /** How often a line was opened: what was missed before must be read anew. */
  opened = (): number => this.#opened

  // Leaving one page and entering the next happen in one task: only the outcome is worth a connection.
  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#settle(), delayMs)
  }

  #settle(): void {
    if (this.#subscriptions.size === 0 || document.hidden) {
      this.#close(document.hidden ? 'hidden' : 'off')
      return
    }
    const address = this.#wanted()
    if (this.#source !== undefined && this.#address === address) return
    this.#close(this.#state === 'live' ? 'live' : 'connecting')
    this.#open(address)
  }

  #wanted(): string {
    const topics = [...new Set([...this.#subscriptions].map((s) => s.topic))].sort()
    const params = new URLSearchParams({ topics: topics.join(',') })
    const events = [...this.#subscriptions].findLast((s) => s.topic === 'events')
    for (const [key, value] of Object.entries(events?.filter ?? {})) {
      if (value) params.set(key, value)
    }
    return `${apiUrl}/stream?${params}`
  }

  #open(address: string): void {
    const source = new EventSource(address)
    this.#source = source
    this.#address = address
    source.onopen = () => {
      this.#retryMs = firstRetryMs
      this.#opened += 1
      this.#turn('live')
    }
    source.onerror = () => {
      this.#turn('reconnecting')
      // A dropped line is taken up again by the browser, with Last-Event-ID; a refused one is ours to ask for again.
      if (source.readyState === EventSource.CLOSED) this.#retry()
    }
    // The server left frames out because this tab was slow: the same as if the line had been down.
    source.addEventListener('skipped', () => {
      this.#opened += 1
      this.#turn('live')
    })
    for (const topic of new Set([...this.#subscriptions].map((s) => s.topic))) {
      source.addEventListener(topic, (message) => this.#deliver(topic, message.data))
    }
  }

  #deliver(topic: Topic, text: string): void {
    const data: unknown = JSON.parse(text)
    for (const subscription of this.#subscriptions) {
      if (subscription.topic === topic) subscription.listener(data as never)
    }
  }

  #retry(): void {
    this.onRefused()
    this.#source = undefined
    this.#schedule(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs)
  }

  #close(state: Connection): void {
    this.#source?.close()
    this.#source = undefined
    this.#address = ''
    this.#turn(state)
  }

  #turn(state: Connection): void {
    this.#state = state
    for (const watcher of this.#watchers) watcher()
  }
}

export const live: LiveStream = new LiveStream()
