import { messageOf } from '../kernel/errors.ts'
import type { RetentionPolicy } from '../retention/retention-policy.ts'
import { tidyLog } from '../retention/tidy-log.ts'
import { type DutyDeps, runDuty } from './duty.ts'

/** Often enough that partitions made ahead last for minutes at the highest rate. */
const everyMs = 5000

/** Makes and drops partitions of the log, in one process of the fleet at a time; twice at once it does no harm. */
export function keepTidy(deps: DutyDeps, policy: RetentionPolicy, stop: AbortSignal): Promise<void> {
  return runDuty('housekeeping', deps, stop, async (_lease, signal) => {
    while (!signal.aborted) {
      await tidyLog(deps.store, policy, deps.logger).catch((error: unknown) =>
        deps.logger.warn({ error: messageOf(error) }, 'housekeeping in the log failed; it is tried again'),
      )
      await deps.clock.sleep(everyMs, signal)
    }
  })
}
