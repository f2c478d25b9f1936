import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { StartStep, StoreLocation } from '../platform/running-app.ts'
import type { ChildStart, Order, Report } from './dev-messages.ts'
import type { AppPlace } from './find-app.ts'
import type { ShownError } from './shown-error.ts'

/** A version of the app did not load or start. */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure'
  readonly shown: ShownError

  constructor(shown: ShownError) {
    super(shown.message)
    this.shown = shown
  }
}

const entry = new URL(`./dev-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
const killMs = 4500

/** A process that runs one version of the app. */
export class AppChild {
  readonly #process: ChildProcess
  readonly #ended: Promise<string>
  #stopping = false

  constructor() {
    this.#process = fork(fileURLToPath(entry), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#ended = once(this.#process, 'exit').then(([code, signal]) =>
      signal === null ? `code ${code}` : `signal ${signal}`,
    )
    this.#process.on('error', () => {}) // a channel that breaks is told by its end
  }

  /** Resolves when the process ended without being asked to, saying how. */
  async crashed(): Promise<string> {
    const how = await this.#ended
    return this.#stopping ? new Promise(() => {}) : how
  }

  /** Imports the app and holds it against the tables that are there; resolves with its name. Throws ChildFailure. */
  async load(place: AppPlace, location: StoreLocation): Promise<string> {
    const told = await this.#order({ do: 'load', place, location }, 'load')
    return told.name
  }

  /** Throws ChildFailure. */
  start(
    options: ChildStart,
    onStep: (step: StartStep) => void,
  ): Promise<{ url: string; consoleUrl: string | undefined }> {
    return this.#order({ do: 'start', options }, 'start', onStep)
  }

  /** Lets it finish or hand back its work, for a while. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#process.connected) this.#process.send({ do: 'stop' } satisfies Order)
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), killMs)
    await this.#ended
    clearTimeout(kill)
  }

  /** Ends it at once: it has not begun anything. */
  discard(): void {
    this.#stopping = true
    this.#process.kill('SIGKILL')
  }

  #order<D extends 'load' | 'start'>(
    order: Order,
    awaited: D,
    onStep?: (step: StartStep) => void,
  ): Promise<Extract<Report, { did: D }>> {
    return new Promise((resolve, reject) => {
      const settle = (): void => void this.#process.off('message', hear)
      const hear = (report: Report): void => {
        if (report.did === 'step') {
          onStep?.(report.step)
          return
        }
        settle()
        if (report.did === awaited) resolve(report as Extract<Report, { did: D }>)
        else if (report.did === 'fail') reject(new ChildFailure(report.error))
      }
      this.#process.on('message', hear)
      void this.#ended.then((how) => {
        settle()
        reject(new ChildFailure({ code: 'APP_INVALID', message: `the app's process ended by itself (${how})` }))
      })
      this.#process.send(order, (error) => {
        if (error !== null) reject(new ChildFailure({ code: 'INTERNAL', message: error.message }))
      })
    })
  }
}
