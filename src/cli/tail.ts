import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSummary, StreamTopics } from '../admin/contract.ts'
import { PlatformError } from '../kernel/errors.ts'
import { type AppAddress, readAppFile, runningApp } from './app-file.ts'
import { callApp, reach } from './call-app.ts'
import { parseFilter, type TailFilter } from './event-filter.ts'
import { eventLine } from './event-line.ts'
import type { Output } from './output.ts'
import { readServerSentEvents } from './server-sent-events.ts'
import { stopSignals } from './stop-signals.ts'
import { UsageError } from './usage-error.ts'
import { appArg, type Verb, verb } from './verb.ts'

const againMs = 250
const mostAtOnce = 500

export const tailVerb: Verb = verb({
  name: 'tail',
  summary: 'Show events and changes as they happen',
  args: {
    filter: { type: 'positional', required: false, description: 'Such as: type:order.* key:7 some text' },
    last: { type: 'string', valueHint: 'n', default: '10', description: 'Begin with the last n' },
    ...appArg,
  },
  async run({ filter, last, app }, { environment, out }) {
    if (!/^\d{1,3}$/.test(last) || Number(last) > mostAtOnce)
      throw new UsageError(`--last is "${last}"`, `Use 0 to ${mostAtOnce}.`)
    const directory = environment.directoryOf(app)
    const tail = new Tail(out, parseFilter(filter ?? ''), stopSignals())
    await tail.follow(directory, Number(last))
    return 0
  },
})

class Tail {
  readonly #out: Output
  readonly #filter: TailFilter
  readonly #signal: AbortSignal
  #shown = -1

  constructor(out: Output, filter: TailFilter, signal: AbortSignal) {
    this.#out = out
    this.#filter = filter
    this.#signal = signal
  }

  /** Follows the app of a folder through its reloads until it is gone. */
  async follow(directory: string, last: number): Promise<void> {
    let app: AppAddress | undefined = runningApp(directory)
    let limit = last
    while (app !== undefined && !this.#signal.aborted) {
      try {
        await this.#watch(app, limit)
      } catch (error) {
        if (this.#signal.aborted) return
        if (!(error instanceof PlatformError && error.retryable)) throw error
      }
      await sleep(againMs, undefined, { signal: this.#signal }).catch(() => {}) // woken up to stop
      app = readAppFile(directory)
      limit = mostAtOnce // what came meanwhile
    }
  }

  /** Subscribes first and looks back then, so that nothing falls in between. */
  async #watch(app: AppAddress, limit: number): Promise<void> {
    const url = new URL('/_/api/stream?topics=events', app.url)
    for (const [name, value] of Object.entries(this.#filter)) url.searchParams.set(name, value)
    const response = await reach(url, app, this.#signal)
    if (limit > 0) {
      const { events } = await callApp(app, 'events', { ...this.#filter, limit })
      for (const event of events.toReversed()) this.#show(event)
    }
    try {
      for await (const { event, data } of readServerSentEvents(response.body ?? emptyBody())) {
        if (event === 'events') this.#showFrame(JSON.parse(data) as StreamTopics['events'])
      }
    } catch (error) {
      throw new PlatformError('APP_NOT_RUNNING', 'the live stream broke', { cause: error })
    }
  }

  #showFrame({ events, skipped }: StreamTopics['events']): void {
    if (skipped > 0 && !this.#out.json) this.#out.note(this.#out.paint('dim', `… ${skipped} more, too fast to show`))
    for (const event of events) this.#show(event)
  }

  #show(event: EventSummary): void {
    if (event.position <= this.#shown) return
    this.#shown = event.position
    if (this.#out.json) this.#out.data(event)
    else this.#out.line(eventLine(this.#out, event))
  }
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
