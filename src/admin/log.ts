import { readBounds } from '../events/read.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { listArchives, restoreArchive } from '../retention/archive.ts'
import type { LogView } from './contract.ts'
import type { AdminSources } from './sources.ts'

const partitionsText = `
  select lo as "from", last_position is not null as full, last_position as "lastPosition",
      coalesce(pg_total_relation_size(to_regclass('millrace.events_' || lo)), 0)::float8 as bytes
    from millrace.partitions where parent = 'events' order by lo`

const keptText = `
  select count(*)::int as kept, count(*) filter (where restored)::int as restored,
      (pg_total_relation_size('millrace.kept'))::float8 as bytes from millrace.kept`

const slowestText = `
  select consumer, min(position) as position from millrace.consumer_slots group by 1 order by 2 limit 1`

type PartitionRow = { from: number; full: boolean; lastPosition: number | null; bytes: number }

export async function logView({ store }: AdminSources, archives: Archives): Promise<LogView> {
  const { head, tail } = await readBounds(store)
  const partitions = await store.sql.query<PartitionRow>(partitionsText)
  const [kept] = await store.sql.query<{ kept: number; restored: number; bytes: number }>(keptText)
  const [slowest] = await store.sql.query<{ consumer: string; position: number }>(slowestText)
  const files = await archives.names()
  const { restoring } = archives
  return {
    head,
    tail,
    kept: kept?.kept ?? 0,
    restored: kept?.restored ?? 0,
    bytes: partitions.reduce((sum, { bytes }) => sum + bytes, kept?.bytes ?? 0),
    partitions: partitions.map(({ lastPosition, ...rest }) =>
      lastPosition === null ? rest : { ...rest, lastPosition },
    ),
    ...(slowest === undefined ? {} : { slowest }),
    ...(files === undefined ? {} : { archives: files }),
    ...(restoring === undefined ? {} : { restoring }),
  }
}

/** The archived files of an app, and the one that is being brought back. */
export class Archives {
  readonly #sources: AdminSources
  #restoring: LogView['restoring']

  constructor(sources: AdminSources) {
    this.#sources = sources
  }

  get restoring(): LogView['restoring'] {
    return this.#restoring
  }

  /** `undefined` where the app keeps none. */
  async names(): Promise<string[] | undefined> {
    const { archive } = this.#sources
    return archive === undefined ? undefined : listArchives(archive)
  }

  /** Begins; only files that are listed can be named, so nobody reads others of the machine by this. */
  async restore(file: string): Promise<void> {
    const { archive, store, logger } = this.#sources
    if (archive === undefined || (await listArchives(archive)).includes(file) === false)
      throw new PlatformError('NOT_FOUND', `there is no archived file "${file}"`, {
        hint: archive === undefined ? 'The app names no archive.' : 'Look at `millrace log` for those there are.',
      })
    if (this.#restoring?.done === false)
      throw new PlatformError('CONFLICT', `"${this.#restoring.file}" is being brought back`, {
        hint: 'Wait for its end.',
      })
    const state = { file, events: 0, done: false } as NonNullable<LogView['restoring']>
    this.#restoring = state
    restoreArchive(store, archive, file, (events) => {
      state.events = events
    })
      .catch((error: unknown) => {
        state.error = messageOf(error)
        logger.warn({ file, error: state.error }, 'an archive could not be restored')
      })
      .finally(() => {
        state.done = true
      })
  }
}
