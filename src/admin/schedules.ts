import { note } from '../delivery/interventions.ts'
import { scheduleType } from '../jobs/schedule.ts'
import { listSchedules, pauseSchedule, resumeSchedule, runSchedule } from '../jobs/schedules.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Operations, ScheduleView, Signed } from './contract.ts'
import { signedBy } from './selection.ts'
import type { AdminSources } from './sources.ts'

export function scheduleViews({ store }: AdminSources): Promise<Operations['schedules']['output']> {
  return listSchedules(store)
}

/** @throws NOT_FOUND */
export async function moveSchedule(
  sources: AdminSources,
  how: 'run' | 'pause' | 'resume',
  input: { name: string } & Signed,
): Promise<ScheduleView> {
  const { store, clock } = sources
  if (how === 'run') await runSchedule(store, input.name, clock.now())
  else if (how === 'pause') await pauseSchedule(store, input.name)
  else await resumeSchedule(store, input.name, clock.now())
  await store.transaction((tx) => note(tx, `${how}-schedule`, scheduleType(input.name), signedBy(input)))
  const found = (await listSchedules(store)).find(({ name }) => name === input.name)
  if (found === undefined) throw new PlatformError('NOT_FOUND', `there is no schedule "${input.name}"`)
  return found
}
