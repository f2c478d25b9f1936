import type { Changed } from '../delivery/dead-letters.ts'
import { slotOf } from '../delivery/slots.ts'
import { readLog } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import type { Statement } from '../store/sql.ts'
import { followersOf } from './followers.ts'
import { slotPlaces } from './slot-places.ts'
import type { AdminSources } from './sources.ts'

/** Behind one delivery no more of the log than this is looked at, and no more than that for all. */
const reach = 50_000
const mostReach = 200_000
const span = 2000

/** Of these, what is in trouble or given up was not handled. */
const unhandledStatement: Statement = {
  name: 'millrace-admin-unhandled',
  text: `select position from millrace.deliveries where consumer = $1 and position = any($2::bigint[])
    union select position from millrace.interventions where consumer = $1 and position = any($2::bigint[]) and action = 'discard'`,
}

export interface NewerHandled {
  /** Deliveries of whose key a newer event was handled already. */
  afterNewer: number
  /** Those of which this was not found out. */
  unchecked: number
}

/** Looks how many deliveries come too late for the order of their key. @param follower whose deliveries they are */
export async function newerHandled(
  sources: AdminSources,
  { stored, follower }: { stored: string; follower: string },
  deliveries: readonly Changed[],
): Promise<NewerHandled> {
  const keyed = deliveries.filter(({ key }) => key !== null)
  const own = followersOf(sources.parts).find((each) => each.follower === follower)
  const places = await slotPlaces(sources, [stored])
  if (own === undefined || places.length === 0) return { afterNewer: 0, unchecked: keyed.length }
  const head = Math.max(...places.map(({ position }) => position))
  const passed = (record: LogRecord): boolean =>
    own.matches(record) &&
    record.position <= (places.find(({ slot }) => slot === slotOf(record, places.length))?.position ?? 0)

  const open = new Open(keyed)
  let looked = 0
  let after = open.lowest
  while (after !== undefined && after < head && looked < mostReach) {
    const { records, through } = await readLog(sources.store, { after, span, only: own.selection })
    looked += through - after
    const newer = records.filter((record) => open.waitsFor(record) && passed(record))
    for (const record of await handledOf(sources, stored, newer)) open.found(record)
    open.giveUpBefore(through - reach)
    after = through === after ? undefined : open.next(through)
  }
  const unchecked = open.givenUp + (after !== undefined && after < head ? open.size : 0)
  return { afterNewer: open.closed, unchecked }
}

async function handledOf({ store }: AdminSources, stored: string, records: readonly LogRecord[]): Promise<LogRecord[]> {
  if (records.length === 0) return []
  const rows = await store.run<{ position: number }>(unhandledStatement, [stored, records.map((r) => r.position)])
  const unhandled = new Set(rows.map(({ position }) => position))
  return records.filter(({ position }) => !unhandled.has(position))
}

/** The deliveries of which it is not known yet. */
class Open {
  readonly #byKey = new Map<string, number[]>()
  closed = 0
  givenUp = 0

  constructor(deliveries: readonly Changed[]) {
    for (const { key, position } of deliveries) {
      if (key === null) continue
      this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), position])
    }
  }

  get size(): number {
    return [...this.#byKey.values()].reduce((sum, positions) => sum + positions.length, 0)
  }

  get lowest(): number | undefined {
    return this.next(0)
  }

  /** From where to look on: nothing below the first one matters. */
  next(at: number): number | undefined {
    const lowest = Math.min(...[...this.#byKey.values()].flat())
    return Number.isFinite(lowest) ? Math.max(at, lowest) : undefined
  }

  waitsFor({ key, position }: LogRecord): boolean {
    return key !== null && (this.#byKey.get(key)?.some((open) => open < position) ?? false)
  }

  /** A handled event. */
  found({ key, position }: LogRecord): void {
    this.closed += this.#take(key ?? '', (open) => open < position)
  }

  giveUpBefore(position: number): void {
    for (const key of [...this.#byKey.keys()]) this.givenUp += this.#take(key, (open) => open < position)
  }

  #take(key: string, which: (open: number) => boolean): number {
    const positions = this.#byKey.get(key) ?? []
    const rest = positions.filter((open) => !which(open))
    if (rest.length === 0) this.#byKey.delete(key)
    else this.#byKey.set(key, rest)
    return positions.length - rest.length
  }
}
