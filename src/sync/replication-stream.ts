import type { Duplex } from 'node:stream'
import type { Lsn } from './lsn.ts'
import { microsecondsSince2000 } from './postgres-time.ts'

/** What the server sends while it streams (PostgreSQL manual, 54.4 "Streaming Replication Protocol"). */
export interface ReplicationHandlers {
  /** A message of the output plugin begins at `start`. The buffer is only valid during the call. */
  onData(buffer: Buffer, start: number): void
  /** Everything that ends before `walEnd` has been sent. With `reply` the server wants to hear from us now. */
  onKeepalive(walEnd: Lsn, reply: boolean): void
}

/** The slice of `pg`'s connection that streaming needs; the types of `pg` leave it out. */
interface Wire {
  readonly stream: Duplex
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  once(event: 'replicationStart', listener: () => void): void
}

/** The start of XLogData: type, start, end and time. */
const dataHeader = 25

/** A query that never ends: what `pg` calls a submittable. Its methods are called by `pg`. */
export class ReplicationStream {
  readonly #text: string
  readonly #handlers: ReplicationHandlers
  readonly #started = deferred()
  readonly #ended = deferred()
  readonly #finished = deferred()
  #wire: Wire | undefined
  #over = false
  /** When the server was last heard, in milliseconds of the process clock. */
  heardAt: number = performance.now()

  constructor(text: string, handlers: ReplicationHandlers) {
    this.#text = text
    this.#handlers = handlers
  }

  /** Resolves when the server has begun to stream, rejects when it refuses. */
  get started(): Promise<void> {
    return this.#started.promise
  }

  /** Settles when the stream is over: rejects when anything but `end` was the reason. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  submit(wire: unknown): void {
    this.#wire = wire as Wire
    this.#wire.once('replicationStart', this.#started.resolve)
    this.#wire.query(this.#text)
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (this.#over) return
    this.heardAt = performance.now()
    try {
      if (chunk[0] === 0x77) this.#handlers.onData(chunk, dataHeader)
      else if (chunk[0] === 0x6b) this.#handlers.onKeepalive(chunk.readBigUInt64BE(1), chunk[17] === 1)
    } catch (error) {
      this.handleError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  handleError(error: Error): void {
    this.#over = true
    this.#started.reject(error)
    this.#ended.reject(error)
    this.#finished.resolve()
  }

  handleReadyForQuery(): void {
    this.#finished.resolve()
    if (!this.#over) this.handleError(new Error('the server ended the stream'))
  }

  handleCommandComplete(): void {}

  /** Standby status update. What is not durable yet must not be given as `durable`. */
  confirm(received: Lsn, durable: Lsn, replyNow: boolean): void {
    const message = Buffer.alloc(34)
    message[0] = 0x72
    message.writeBigUInt64BE(received, 1)
    message.writeBigUInt64BE(durable, 9)
    message.writeBigUInt64BE(durable, 17)
    message.writeBigUInt64BE(microsecondsSince2000(), 25)
    message[33] = replyNow ? 1 : 0
    this.#wire?.sendCopyFromChunk(message)
  }

  pause(): void {
    this.#wire?.stream.pause()
  }

  resume(): void {
    this.#wire?.stream.resume()
  }

  /** Resolves when the server has let go of the slot and listens again, or when the connection is gone. */
  end(): Promise<void> {
    if (!this.#over) this.#wire?.endCopyFrom()
    this.#over = true
    this.#ended.resolve()
    this.resume() // a socket that is not read hears no end
    return this.#finished.promise
  }

  /** Ends without waiting for the server. */
  destroy(): void {
    this.#wire?.stream.destroy()
  }
}

interface Deferred {
  promise: Promise<void>
  resolve: () => void
  reject: (error: Error) => void
}

/** The rejection of one that nobody waits for is no error of its own. */
function deferred(): Deferred {
  let settle: Omit<Deferred, 'promise'> = { resolve() {}, reject() {} }
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => undefined)
  return { promise, ...settle }
}
