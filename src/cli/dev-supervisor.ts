import { type EmbeddedPostgres, openEmbeddedPostgres } from '../adapters/embedded-postgres/open-embedded-postgres.ts'
import type { StartOptions } from '../platform/running-app.ts'
import { removeAppFile, writeAppFile } from './app-file.ts'
import { CodeWatcher } from './code-watcher.ts'
import { listenToKeys, openInBrowser } from './dev-keys.ts'
import { DevSession } from './dev-session.ts'
import { printDoctor } from './doctor.ts'
import type { AppPlace } from './find-app.ts'
import { loadCompanion } from './load-companion.ts'
import { humanLogger } from './loggers.ts'
import { type Addresses, Screen } from './screen.ts'
import { httpOf, locationOf, newToken } from './start.ts'
import { stopSignals } from './stop-signals.ts'
import type { VerbContext } from './verb.ts'

export interface DevRun {
  /** As the user named the app. */
  given: string
  place: AppPlace
  /** Requests a second to send. */
  perSecond: number | undefined
}

/** The supervisor: it owns Postgres, the watcher and the terminal; the app runs in a child. */
export class DevSupervisor {
  readonly #run: DevRun
  readonly #context: VerbContext
  readonly #directory: string
  readonly #token: string
  readonly #quit = new AbortController()
  readonly #signal: AbortSignal

  constructor(run: DevRun, context: VerbContext) {
    this.#run = run
    this.#context = context
    this.#directory = context.environment.directoryOf(run.place.folder)
    this.#token = context.environment.consoleToken ?? newToken()
    this.#signal = AbortSignal.any([stopSignals(), this.#quit.signal])
  }

  async run(): Promise<number> {
    const openedAt = performance.now()
    const postgres = await this.#openPostgres()
    try {
      return await this.#runWith(postgres, performance.now() - openedAt)
    } finally {
      removeAppFile(this.#directory)
      await postgres?.close()
    }
  }

  async #runWith(postgres: EmbeddedPostgres | undefined, openMs: number): Promise<number> {
    const { environment, out } = this.#context
    const screen = new Screen(out)
    const watcher = new CodeWatcher(this.#run.place.folder)
    const session = new DevSession({
      given: this.#run.given,
      out,
      screen,
      start: {
        location: this.#location(postgres),
        http: httpOf(environment),
        consoleToken: this.#token,
        logLevel: environment.logLevel ?? 'warn',
      },
      // Postgres came up before, in this process.
      onStep: (step) => screen.step(step.name === 'postgres' ? { ...step, tookMs: step.tookMs + openMs } : step),
      onReady: (addresses) => this.#ready(addresses),
    })
    const letKeysGo = out.interactive ? this.#listen(watcher, session) : () => {}
    try {
      if (!(await session.open())) return 1
      while (!this.#signal.aborted) {
        await watcher.next(this.#signal)
        if (!this.#signal.aborted) await session.reload()
      }
      return 0
    } finally {
      letKeysGo()
      watcher.close()
      await session.close()
    }
  }

  #ready(addresses: Addresses): void {
    const { out } = this.#context
    writeAppFile(this.#directory, { url: addresses.url, pid: process.pid, token: this.#token })
    new Screen(out).ready(addresses, out.interactive)
    const { perSecond } = this.#run
    if (perSecond !== undefined) void this.#load(addresses.url, perSecond)
  }

  async #load(url: string, perSecond: number): Promise<void> {
    try {
      const companion = await loadCompanion(this.#run.place)
      await companion({ url, perSecond, signal: this.#signal })
    } catch (error) {
      this.#context.out.note(`! the load ended: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** Ours lives as long as this process, so that a reload does not wait for it. */
  async #openPostgres(): Promise<EmbeddedPostgres | undefined> {
    const { environment, out } = this.#context
    if (environment.databaseUrl !== undefined) return undefined
    return await openEmbeddedPostgres({
      directory: this.#directory,
      logger: humanLogger(out, environment.logLevel ?? 'warn'),
      signal: this.#signal,
      onRestart: () => out.note('! postgres ended by itself and runs again'),
    })
  }

  #location(postgres: EmbeddedPostgres | undefined): StartOptions['location'] {
    if (postgres === undefined) return locationOf(this.#context.environment, this.#directory)
    const { url, version, port } = postgres
    return { kind: 'embedded', directory: this.#directory, running: { url, version, port } }
  }

  #listen(watcher: CodeWatcher, session: DevSession): () => void {
    const { out } = this.#context
    return listenToKeys({
      q: () => this.#quit.abort(),
      r: () => watcher.poke(),
      d: () => void printDoctor(this.#run.place.folder, this.#context),
      o: () => {
        const { consoleUrl } = session.addresses ?? {}
        if (consoleUrl !== undefined) openInBrowser(consoleUrl, () => out.note(`! no browser here: open ${consoleUrl}`))
      },
    })
  }
}
