import type { ServerResponse } from 'node:http'

/** One message of the live stream. */
export interface StreamFrame {
  topic: string
  data: unknown
  /** What a client names as the last it saw when it comes back. */
  id?: number | string
}

export interface EventStreamOptions {
  /** Silence after which a comment shows that both ends live. */
  heartbeatMs: number
  /** What may wait for a slow client; frames beyond it are dropped and counted. */
  maxBufferedBytes: number
  /** A client that takes nothing for this long is cut off. */
  stalledMs: number
}

export const eventStreamDefaults: EventStreamOptions = {
  heartbeatMs: 15_000,
  maxBufferedBytes: 256 * 1024,
  stalledMs: 30_000,
}

const reconnectMs = 1000

/**
 * Writes Server-Sent Events (HTML Standard, 9.2) to one client. What a slow client misses is told as
 * `event: skipped` with the number of frames by topic, as soon as it reads again.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #options: EventStreamOptions
  readonly #heartbeat: NodeJS.Timeout
  #skipped: Record<string, number> = {}
  #skippingSince: number | undefined

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Asks proxies to pass each frame on at once.
      'x-accel-buffering': 'no',
    })
    response.write(`retry: ${reconnectMs}\n\n`)
    response.on('drain', () => this.#tellSkipped())
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs)
    response.once('close', () => clearInterval(this.#heartbeat))
  }

  /** False when the client is too slow and the frame was dropped. */
  push({ topic, data, id }: StreamFrame): boolean {
    if (this.#response.writableEnded || this.#response.destroyed) return false
    if (this.#response.writableLength > this.#options.maxBufferedBytes) {
      this.#skip(topic)
      return false
    }
    const idLine = id === undefined ? '' : `id: ${id}\n`
    this.#response.write(`${idLine}event: ${topic}\ndata: ${JSON.stringify(data)}\n\n`)
    return true
  }

  close(): void {
    clearInterval(this.#heartbeat)
    // A client that does not read would never see the end.
    if (this.#response.writableLength > 0) this.#response.destroy()
    else this.#response.end()
  }

  #skip(topic: string): void {
    this.#skipped[topic] = (this.#skipped[topic] ?? 0) + 1
    this.#skippingSince ??= performance.now()
    if (performance.now() - this.#skippingSince > this.#options.stalledMs) this.#response.destroy()
  }

  #tellSkipped(): void {
    if (this.#skippingSince === undefined) return
    const skipped = this.#skipped
    this.#skipped = {}
    this.#skippingSince = undefined
    this.push({ topic: 'skipped', data: skipped })
  }

  #beat(): void {
    // A comment is worth nothing to a client that already has too much to read.
    if (this.#response.writableLength <= this.#options.maxBufferedBytes) this.#response.write(': alive\n\n')
  }
}
