import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../../kernel/backoff.ts'
import { errorRecord, messageOf } from '../../kernel/errors.ts'
import { endLeftovers } from './_leftovers.ts'
import { type RunningServer, type ServerPlan, startServer, stopServer } from './_server.ts'

/** After this long it counts as healthy again, so that the next end is answered at once. */
const healthyAfterMs = 30_000

/** A start that nobody asked for: the server had ended by itself. */
export interface Restart {
  /** How it ended, such as `SIGKILL` or `exit code 1`. */
  reason: string
  /** From its end until it answered again. */
  downMs: number
}

/** Starts Postgres again, on the same port and data, whenever it ends without being asked to. Never gives up. */
export class Supervisor {
  readonly #plan: ServerPlan
  readonly #onRestart: (restart: Restart) => void
  readonly #stopping = new AbortController()
  readonly #watching: Promise<void>
  #server: RunningServer | undefined

  constructor(first: RunningServer, plan: ServerPlan, onRestart: (restart: Restart) => void) {
    this.#server = first
    this.#plan = plan
    this.#onRestart = onRestart
    this.#watching = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#server !== undefined) await stopServer(this.#server.process, this.#plan)
    await this.#watching
  }

  async #watch(): Promise<void> {
    let quickEnds = 0
    while (this.#server !== undefined) {
      const startedAt = Date.now()
      const exit = await this.#server.process.exited
      this.#server = undefined
      if (this.#stopping.signal.aborted) return
      const endedAt = Date.now()
      quickEnds = endedAt - startedAt > healthyAfterMs ? 0 : quickEnds + 1
      const reason = exit.signal ?? `exit code ${exit.code}`
      this.#plan.logger.warn({ reason }, 'Postgres ended by itself; starting it again')
      this.#server = await this.#restart(Math.max(0, quickEnds - 1))
      if (this.#server !== undefined) this.#tell({ reason, downMs: Date.now() - endedAt })
    }
  }

  /** @param failures so far; the first attempt after none is made at once */
  async #restart(failures: number): Promise<RunningServer | undefined> {
    const { signal } = this.#stopping
    for (let attempt = failures; !signal.aborted; attempt += 1) {
      if (attempt > 0) await pause(backoffMs(attempt, { first: 100, max: '5s' }), signal)
      if (signal.aborted) break
      try {
        await endLeftovers(this.#plan.home.data, this.#plan.logger)
        const server = await startServer(this.#plan, signal)
        if (!signal.aborted) return server
        // Asked to stop while it was being started, and up all the same.
        await stopServer(server.process, this.#plan)
      } catch (error) {
        if (!signal.aborted) this.#complain('Postgres does not start', error)
      }
    }
    return undefined
  }

  #tell(restart: Restart): void {
    try {
      this.#onRestart(restart)
    } catch (error) {
      this.#complain('onRestart failed', error)
    }
  }

  #complain(what: string, error: unknown): void {
    this.#plan.logger.error({ error: errorRecord(error) }, `${what}: ${messageOf(error)}`)
  }
}

/** Does not keep Node alive: an app that has nothing else to do may end. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {})
}
