import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { Wake } from '../kernel/wake.ts'
import { acquireLease, type Lease, releaseLease } from '../store/lease.ts'
import type { Member } from '../store/member.ts'
import type { Store } from '../store/store.ts'
import { tick } from './sequence.ts'

export interface SequencerOptions {
  store: Store
  member: Member
  clock: Clock
  logger: Logger
  /** Called with the new head after a tick that found something. */
  advanced: (head: number) => void
}

const leaseMs = 500
const pollMinMs = 5
const pollMaxMs = 250
const mostRestMs = 5
/** After a publish whose commit we do not see, look often for this long. */
const expectMs = 2000

/**
 * Ticks the log forward, in one process of the fleet at a time. The lease only saves work: ticks are safe whoever makes
 * them (see sequence.ts).
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #wake = new Wake()
  #lease: Lease | undefined
  #expectUntil = 0

  constructor(options: SequencerOptions) {
    this.#options = options
  }

  get leading(): boolean {
    return this.#lease !== undefined
  }

  /** Something was committed. */
  poke(): void {
    this.#wake.poke()
  }

  /** Something was written in a transaction of which we shall not see the commit. */
  expect(): void {
    this.#expectUntil = this.#options.clock.now() + expectMs
    this.#wake.poke()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, logger } = this.#options
    let pollMs = pollMinMs
    let checkedAt = Number.NEGATIVE_INFINITY
    while (!signal.aborted) {
      try {
        if (clock.now() - checkedAt >= leaseMs) {
          this.#lease = await acquireLease(store, this.#options.member, 'sequencer')
          checkedAt = clock.now()
        }
        if (this.#lease === undefined) {
          await this.#wake.wait(leaseMs, signal)
          continue
        }
        const since = performance.now()
        const advanced = await this.#tick()
        const eager = advanced || clock.now() < this.#expectUntil
        pollMs = eager ? pollMinMs : Math.min(pollMaxMs, pollMs * 2)
        // At most half of the time: each tick waits for the disk, and so do those who write.
        if (advanced) await clock.sleep(Math.min(mostRestMs, performance.now() - since), signal)
        else await this.#wake.wait(pollMs, signal)
      } catch (error) {
        logger.warn({ error: messageOf(error) }, 'sequencing failed; it is tried again')
        checkedAt = Number.NEGATIVE_INFINITY
        await clock.sleep(250, signal)
      }
    }
    if (this.#lease !== undefined) await releaseLease(store, this.#lease)
    this.#lease = undefined
  }

  async #tick(): Promise<boolean> {
    const head = await tick(this.#options.store)
    if (head === undefined) return false
    this.#options.advanced(head)
    return true
  }
}
