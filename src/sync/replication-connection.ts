import pg from 'pg'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { formatLsn, type Lsn } from './lsn.ts'
import { type ReplicationHandlers, ReplicationStream } from './replication-stream.ts'

export interface ReplicationConnection {
  /** Settles when the stream has ended: rejects with CAPTURE_FAILED unless `close` ended it. */
  readonly ended: Promise<void>
  /** Tells the server what was received and what is durable here; it may then drop the log before `durable`. */
  confirm(received: Lsn, durable: Lsn): void
  /** Stops reading from the socket until `resume`: the server then waits. */
  pause(): void
  resume(): void
  close(): Promise<void>
}

export interface ReplicationOptions {
  url: string
  applicationName: string
  /** Statements before the stream starts, such as settings that decide how values are written. */
  settings: readonly string[]
  slot: string
  publication: string
  from: Lsn
  handlers: ReplicationHandlers
}

/** Opens a replication connection and starts to stream. Throws CAPTURE_FAILED, with the error of Postgres as cause. */
export async function openReplication(options: ReplicationOptions): Promise<ReplicationConnection> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    ...{ replication: 'database' }, // not in the types of pg
  })
  client.on('error', () => undefined) // told through `ended`
  try {
    await client.connect()
    for (const setting of options.settings) await client.query(setting)
    const stream = client.query(new ReplicationStream(startCommand(options), options.handlers))
    await stream.started
    return new Opened(client, stream, options.from)
  } catch (cause) {
    await client.end()
    throw new PlatformError('CAPTURE_FAILED', `cannot stream from slot "${options.slot}": ${messageOf(cause)}`, {
      cause,
    })
  }
}

/** How often the server hears from us without need, and how long it may say nothing before it counts as gone. */
const beatMs = 10_000
const silenceMs = 60_000
/** How long the server has to end the stream in order. */
const farewellMs = 1000

class Opened implements ReplicationConnection {
  readonly #client: pg.Client
  readonly #stream: ReplicationStream
  readonly #beat: NodeJS.Timeout
  #received: Lsn
  #durable: Lsn
  #paused = false

  constructor(client: pg.Client, stream: ReplicationStream, from: Lsn) {
    this.#client = client
    this.#stream = stream
    this.#received = from
    this.#durable = from
    this.#beat = setInterval(() => this.#onBeat(), beatMs)
  }

  get ended(): Promise<void> {
    return this.#stream.ended
  }

  confirm(received: Lsn, durable: Lsn): void {
    this.#received = received
    this.#durable = durable
    this.#stream.confirm(received, durable, false)
  }

  pause(): void {
    if (!this.#paused) this.#stream.pause()
    this.#paused = true
  }

  resume(): void {
    if (this.#paused) this.#stream.resume()
    this.#paused = false
  }

  async close(): Promise<void> {
    clearInterval(this.#beat)
    const gone = setTimeout(() => this.#stream.destroy(), farewellMs)
    await this.#stream.end()
    await this.#client.end()
    clearTimeout(gone)
  }

  #onBeat(): void {
    const silent = !this.#paused && performance.now() - this.#stream.heardAt > silenceMs
    if (silent) this.#stream.handleError(new Error(`the server said nothing for ${silenceMs / 1000} s`))
    else this.#stream.confirm(this.#received, this.#durable, true)
  }
}

function startCommand({ slot, publication, from }: ReplicationOptions): string {
  const publications = `"${publication.replaceAll('"', '""')}"`.replaceAll("'", "''")
  return `START_REPLICATION SLOT "${slot}" LOGICAL ${formatLsn(from)} (proto_version '1', publication_names '${publications}', messages 'true')`
}
