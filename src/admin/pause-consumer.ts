import { note, setPaused } from '../delivery/interventions.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Signed } from './contract.ts'
import { type Follower, followersOf } from './followers.ts'
import { signedBy } from './selection.ts'
import type { AdminSources } from './sources.ts'

/**
 * Lets a consumer or an index stand still or go on, on all processes.
 * @throws NOT_FOUND
 */
export async function pauseConsumer(
  { store, parts }: AdminSources,
  input: { consumer: string } & Signed,
  paused: boolean,
): Promise<Follower> {
  const known = followersOf(parts).filter(({ kind }) => kind !== 'cache')
  const meant = known.find(({ follower }) => follower === input.consumer)
  const found = await store.transaction(async (tx) => {
    if (meant === undefined || !(await setPaused(tx, meant.follower, paused))) return undefined
    await note(tx, paused ? 'pause' : 'resume', meant.follower, signedBy(input))
    return meant
  })
  if (found !== undefined) return found
  throw new PlatformError('NOT_FOUND', `the app has no consumer "${input.consumer}"`, {
    hint: `There are ${known.map(({ follower }) => follower).join(', ')}.`,
  })
}
