import type { Logger } from '../kernel/logger.ts'
import type { Store } from '../store/store.ts'
import { dropOldest } from './drop-old.ts'
import { closeOldPartition, makePartitions, markFullPartitions } from './partitions.ts'
import type { RetentionPolicy } from './retention-policy.ts'

/** One turn of housekeeping in the log: partitions made ahead, the one in use closed when it is old, old ones dropped. */
export async function tidyLog(store: Store, policy: RetentionPolicy, logger: Logger): Promise<void> {
  if (policy.everyMs !== null) await closeOldPartition(store, policy.everyMs)
  await makePartitions(store, policy.partition)
  await markFullPartitions(store)
  while (await dropOldest(store, policy, logger));
}
