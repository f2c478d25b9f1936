import { Wake } from '../kernel/wake.ts'
import { type AssembleOptions, Assembler, type Batch } from './assemble.ts'
import type { Lsn } from './lsn.ts'
import { decodePgoutput, type PgoutputMessage } from './pgoutput.ts'
import { streamName } from './prepare-slot.ts'
import { openReplication, type ReplicationConnection } from './replication-connection.ts'
import { textSettings } from './text-settings.ts'

export interface IntakeOptions extends AssembleOptions {
  url: string
  capture: string
}

/**
 * A walsender can miss that the log has grown when that happens just as it goes to sleep, and then sleeps on for seconds
 * (walsender.c looks at the flushed position before it joins the sleepers). Hearing from us wakes it.
 */
const nudgeMs = 10

/** The stream, gathered into batches. Reads on while a batch is appended, until as much waits as may. */
export class Intake {
  readonly #assembler: Assembler
  readonly #wake = new Wake()
  #connection: ReplicationConnection | undefined
  #failure: unknown
  #durable: Lsn
  #nudge: NodeJS.Timeout | undefined
  #marked = false
  #asked = false

  static async open(options: IntakeOptions): Promise<Intake> {
    const intake = new Intake(options)
    await intake.#connect(options)
    return intake
  }

  private constructor(options: IntakeOptions) {
    this.#assembler = new Assembler(options)
    this.#durable = options.progress.position
  }

  /** Everything that committed before this has come in. */
  get position(): Lsn {
    return this.#assembler.position
  }

  /** Whether somebody waits to hear that what came in is durable; asks once. */
  takeAsked(): boolean {
    const asked = this.#asked
    this.#asked = false
    return asked
  }

  /** The next batch, if one is ready. Throws when the stream has broken. */
  take(): Batch | undefined {
    if (this.#failure !== undefined) throw this.#failure
    const batch = this.#assembler.take()
    if (!this.#assembler.full) this.#connection?.resume()
    return batch
  }

  /** Tells the server what is durable here: it may drop its log before that. */
  confirm(durable: Lsn): void {
    this.#durable = durable
    this.#connection?.confirm(this.position, durable)
  }

  /** Resolves when there is something to do, at the latest after `ms`. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#wake.wait(ms, signal)
  }

  async close(): Promise<void> {
    clearTimeout(this.#nudge)
    await this.#connection?.close()
  }

  async #connect({ url, capture, progress }: IntakeOptions): Promise<void> {
    this.#connection = await openReplication({
      url,
      applicationName: streamName(capture),
      settings: textSettings,
      slot: capture,
      publication: capture,
      from: progress.position,
      handlers: {
        onData: (buffer, start) => this.#onData(buffer, start),
        onKeepalive: (walEnd, reply) => this.#onKeepalive(walEnd, reply),
      },
    })
    this.#connection.ended.catch((error: unknown) => {
      this.#failure = error
      this.#wake.poke()
    })
  }

  #onData(buffer: Buffer, start: number): void {
    const message = decodePgoutput(buffer, start)
    this.#assembler.push(message)
    this.#noticeMark(message)
    this.#nudgeSoon()
    if (this.#assembler.full) this.#connection?.pause()
    if (this.#assembler.ready) this.#wake.poke()
  }

  /** A server that shuts down asks until everything it sent is confirmed. */
  #onKeepalive(walEnd: Lsn, reply: boolean): void {
    this.#assembler.passed(walEnd)
    this.#nudgeSoon()
    if (reply) this.#ask()
  }

  /** A message of ours in the log: somebody waits to hear that capture has come this far, and no row may follow. */
  #noticeMark(message: PgoutputMessage): void {
    if (message.kind === 'message' && message.prefix === 'millrace') this.#marked = true
    if (message.kind !== 'commit' || !this.#marked) return
    this.#marked = false
    this.#ask()
  }

  #ask(): void {
    this.#asked = true
    this.#wake.poke()
  }

  /** What was received, soon after receiving it. A server that hears so much sends no keepalive, so this ends by itself. */
  #nudgeSoon(): void {
    this.#nudge ??= setTimeout(() => {
      this.#nudge = undefined
      this.#connection?.confirm(this.position, this.#durable)
    }, nudgeMs)
  }
}
