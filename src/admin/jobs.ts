import { note } from '../delivery/interventions.ts'
import { countJobs, findJob, listJobs } from '../jobs/list-jobs.ts'
import { cancelJob, retryJob } from '../jobs/mend-jobs.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Operations } from './contract.ts'
import { signedBy } from './selection.ts'
import type { AdminSources } from './sources.ts'

const nowOf = ({ clock }: AdminSources): Date => new Date(clock.now())

/** A page of jobs, and how many of each name stand where. */
export async function jobPage(
  sources: AdminSources,
  { name, state, before, limit = 50 }: Operations['jobs']['input'],
): Promise<Operations['jobs']['output']> {
  const filter = {
    limit: limit + 1,
    ...(name === undefined ? {} : { name }),
    ...(state === undefined ? {} : { state }),
    ...(before === undefined ? {} : { before }),
  }
  const [counts, found] = await Promise.all([countJobs(sources.store, nowOf(sources)), listJobs(sources.store, filter)])
  const jobs = found.slice(0, limit)
  const next = found.length > limit ? jobs.at(-1)?.id : undefined
  return { counts, jobs, ...(next === undefined ? {} : { next }) }
}

/** @throws NOT_FOUND */
export async function jobById({ store }: AdminSources, { id }: { id: string }): Promise<Operations['job']['output']> {
  const job = await findJob(store, id)
  if (job !== undefined) return job
  throw new PlatformError('NOT_FOUND', `nothing is known of job ${id}`)
}

/** @throws NOT_FOUND, CONFLICT */
export async function retryJobBy(
  sources: AdminSources,
  input: Operations['retryJob']['input'],
): Promise<Operations['job']['output']> {
  const { name, state } = await jobById(sources, input)
  await sources.store.transaction(async (tx) => {
    const met = await retryJob(tx, nowOf(sources), input.id)
    if (met === 'taken') throw new PlatformError('CONFLICT', `another job ${name} has the unique key of ${input.id}`)
    if (met === undefined)
      throw new PlatformError('CONFLICT', `job ${input.id} is ${state}: there is nothing to try again`)
    await note(tx, 'retry-job', `job:${name}`, signedBy(input), { job: input.id })
  })
  return jobById(sources, input)
}

/** @throws NOT_FOUND, CONFLICT */
export async function cancelJobBy(
  sources: AdminSources,
  input: Operations['cancelJob']['input'],
): Promise<Operations['job']['output']> {
  const { name, state } = await jobById(sources, input)
  await sources.store.transaction(async (tx) => {
    const met = await cancelJob(tx, nowOf(sources), input.id)
    if (met === undefined)
      throw new PlatformError('CONFLICT', `job ${input.id} is ${state}: there is nothing to cancel`)
    await note(tx, 'cancel-job', `job:${name}`, signedBy(input), { job: input.id })
  })
  return jobById(sources, input)
}
