import type { FastifyReply, FastifyRequest } from 'fastify'
import { PlatformError } from '../../kernel/errors.ts'
import type { Schema } from '../../kernel/schema.ts'
import { EventStream, type EventStreamOptions, type StreamFrame } from './event-stream.ts'

/** Where the live stream of the console comes from. */
export interface LiveSource {
  readonly topics: readonly string[]
  /** The filter fields that may stand in the address, beside `topics`. */
  readonly filter: Schema<unknown>
  /**
   * Pushes frames of the topics until the returned function is called. `push` is false for a frame that a slow client
   * will not get. `lastEventId` is the last id a returning client saw.
   */
  subscribe(
    request: { topics: readonly string[]; filter: unknown; lastEventId: string | undefined },
    push: (frame: StreamFrame) => boolean,
  ): () => void
}

/** Each holds a connection open; more clients than this are refused. */
const maxStreams = 100

/** The open live streams of the console. */
export class LiveStreams {
  readonly #source: LiveSource
  readonly #options: EventStreamOptions
  readonly #open = new Set<EventStream>()

  constructor(source: LiveSource, options: EventStreamOptions) {
    this.#source = source
    this.#options = options
  }

  /** Answers one client for as long as it stays. */
  serve(request: FastifyRequest, reply: FastifyReply): void {
    const { topics: topicList, ...rest } = request.query as Record<string, unknown>
    const topics = this.#topics(topicList)
    const filter = this.#source.filter.parseText(rest, 'stream')
    if (this.#open.size >= maxStreams) {
      throw new PlatformError('OVERLOADED', `${maxStreams} live streams are open already`)
    }
    const lastEventId = request.headers['last-event-id']
    reply.hijack()
    const stream = new EventStream(reply.raw, this.#options)
    this.#open.add(stream)
    const unsubscribe = this.#source.subscribe(
      { topics, filter, lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined },
      (frame) => stream.push(frame),
    )
    reply.raw.once('close', () => {
      this.#open.delete(stream)
      unsubscribe()
    })
  }

  close(): void {
    for (const stream of this.#open) stream.close()
  }

  #topics(list: unknown): string[] {
    const topics = typeof list === 'string' ? list.split(',') : []
    const known = this.#source.topics
    const wrong = topics.find((topic) => !known.includes(topic))
    if (topics.length > 0 && wrong === undefined) return [...new Set(topics)]
    const message = wrong === undefined ? 'is missing' : `has an unknown topic "${wrong}"`
    throw new PlatformError('INPUT_INVALID', `stream: /topics ${message}`, {
      hint: `Name one or more of ${known.join(', ')}, with commas.`,
      issues: [{ path: '/topics', message }],
    })
  }
}
