import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { acquireLease, type Lease, releaseLease } from '../store/lease.ts'
import type { Member } from '../store/member.ts'
import type { Store } from '../store/store.ts'

export interface DutyDeps {
  store: Store
  member: Member
  clock: Clock
  logger: Logger
}

const checkMs = 500

/**
 * Runs `work` in one process of the fleet at a time. `work` ends when its signal aborts: at stop, or when another process
 * has taken over. It must fence its writes with `assertHeld`.
 */
export async function runDuty(
  name: string,
  deps: DutyDeps,
  stop: AbortSignal,
  work: (lease: Lease, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { store, member, clock, logger } = deps
  while (!stop.aborted) {
    try {
      const lease = await acquireLease(store, member, name)
      if (lease !== undefined) await hold(lease)
    } catch (error) {
      logger.warn({ duty: name, error: messageOf(error) }, 'a duty failed; it is taken up again')
    }
    await clock.sleep(checkMs, stop)
  }

  async function hold(lease: Lease): Promise<void> {
    const ending = new AbortController()
    const signal = AbortSignal.any([stop, ending.signal])
    const working = work(lease, signal).finally(() => ending.abort())
    // It is awaited below; failing while the lease is looked at, it would end the process as an unhandled rejection.
    working.catch(() => undefined)
    while (!signal.aborted) {
      await clock.sleep(checkMs, signal)
      if (signal.aborted) break
      const still = await acquireLease(store, member, name).catch(() => lease) // a store that is away takes nothing over
      if (still?.epoch !== lease.epoch) ending.abort()
    }
    try {
      await working
    } finally {
      await releaseLease(store, lease).catch((error: unknown) =>
        logger.debug({ duty: name, error: messageOf(error) }, 'a lease runs out by itself'),
      )
    }
  }
}
