import type { StartStep } from '../platform/running-app.ts'
import { AppChild, ChildFailure } from './app-child.ts'
import type { ChildStart } from './dev-messages.ts'
import { findApp } from './find-app.ts'
import type { Output } from './output.ts'
import { type Addresses, localAddress, type Screen, seconds } from './screen.ts'
import { printError, showError } from './shown-error.ts'

export interface DevSessionOptions {
  /** As the user named it. */
  given: string
  out: Output
  screen: Screen
  start: ChildStart
  onStep: (step: StartStep) => void
  onReady: (addresses: Addresses) => void
}

/** Failures that no change of the app's code mends. */
const notTheApp = ['LISTEN_FAILED', 'STORE_UNREACHABLE', 'STORE_UNSUITABLE', 'MIGRATION_UNKNOWN', 'MIGRATION_CHANGED']

/** The versions of the app: the one that runs, and a process that stands by to become the next. */
export class DevSession {
  readonly #options: DevSessionOptions
  #start: ChildStart
  #current: AppChild | undefined
  #standby: AppChild = new AppChild()
  addresses: Addresses | undefined

  constructor(options: DevSessionOptions) {
    this.#options = options
    this.#start = options.start
  }

  /** Brings up the first version. False when nothing the user could save would help. */
  async open(): Promise<boolean> {
    const error = await this.#replace((name) => this.#options.screen.header(name, 'dev'))
    if (error === undefined) return true
    printError(this.#options.out, error)
    if (notTheApp.includes(error.code)) return false
    this.#options.out.note('  Nothing runs yet: save a file and it is tried again.')
    return true
  }

  /** Puts the saved version in the place of the running one, if it loads. */
  async reload(): Promise<void> {
    const { out } = this.#options
    const startedAt = performance.now()
    const error = await this.#replace()
    if (error === undefined) {
      const tookMs = performance.now() - startedAt
      if (out.json) out.data({ reloaded: true, tookMs: Math.round(tookMs) })
      else out.line(`${out.paint('green', '↻')} app ${seconds(tookMs)}`)
      return
    }
    printError(out, error)
    const state =
      this.#current === undefined ? 'Nothing runs until the next save.' : 'The last good version keeps running.'
    if (!out.json) out.note(`  ${out.paint('dim', state)}`)
  }

  async close(): Promise<void> {
    this.#standby.discard()
    await this.#current?.stop()
  }

  async #replace(named: (name: string) => void = () => {}) {
    const next = this.#standby
    const { given, onStep } = this.#options
    let folder: string | undefined
    try {
      const place = findApp(given)
      folder = place.folder
      named(await next.load(place, this.#start.location))
      const old = this.#current
      this.#current = undefined
      await old?.stop()
      const first = this.addresses === undefined
      const told = await next.start(this.#start, (step) => (first ? onStep(step) : undefined))
      this.#began(next, told)
      return undefined
    } catch (error) {
      next.discard()
      return error instanceof ChildFailure ? error.shown : showError(error, folder)
    } finally {
      this.#standby = new AppChild()
    }
  }

  #began(child: AppChild, { url, consoleUrl }: { url: string; consoleUrl: string | undefined }): void {
    this.#current = child
    const first = this.addresses === undefined
    this.addresses = { url: localAddress(url), consoleUrl }
    // Later versions answer at the same address, also when the first took a free port.
    this.#start = { ...this.#start, http: { ...this.#start.http, port: Number(new URL(url).port) } }
    void child.crashed().then((how) => this.#mourn(child, how))
    if (first) this.#options.onReady(this.addresses)
  }

  #mourn(child: AppChild, how: string): void {
    if (this.#current !== child) return
    this.#current = undefined
    const message = `the app ended by itself (${how}); it starts again with the next save`
    printError(this.#options.out, { code: 'APP_NOT_RUNNING', message })
  }
}
