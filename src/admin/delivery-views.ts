import { slotOf } from '../delivery/slots.ts'
import type { LogRecord } from '../events/record.ts'
import type { Statement } from '../store/sql.ts'
import type { DeliveryView } from './contract.ts'
import { betweenMs, preciseMs } from './event-list.ts'
import { type Follower, followersOf } from './followers.ts'
import { type SlotPlace, slotPlaces } from './slot-places.ts'
import type { AdminSources } from './sources.ts'

interface Passed {
  follower: string
  member: string
  startedAt: string
  doneAt: string
}
interface Troubled {
  consumer: string
  state: 'retrying' | 'held' | 'dead' | 'discarded'
  attempt: number
  retryAt: string | null
  error: { code: string; message: string } | null
}

/** No batch is longer (a thousand positions and the rest of a tick), so no passage that ends later is looked at. */
const longestPassage = 10_000
const passagesStatement: Statement = {
  name: 'millrace-admin-passages',
  text: `select p.follower, p.member, p.started_at as "startedAt", p.done_at as "doneAt"
    from unnest($1::text[]) as f(name) cross join lateral (
      select * from millrace.passages p where p.follower = f.name and p.last between $2 and $2 + $3 and p.first <= $2 order by p.last limit 16) p`,
}
const troubledStatement: Statement = {
  name: 'millrace-admin-troubled',
  text: `select consumer, state, attempt, retry_at as "retryAt", error from millrace.deliveries where position = $1 and consumer = any($2::text[])
    union all
    select consumer, 'discarded', (what->>'attempts')::int, null, what->'error' from millrace.interventions
     where position = $1 and consumer = any($2::text[]) and action = 'discard'`,
}
/** How each follower of its type stands to one event. */
export async function deliveriesOf(sources: AdminSources, record: LogRecord): Promise<DeliveryView[]> {
  const followers = followersOf(sources.parts).filter((each) => each.matches(record))
  if (followers.length === 0) return []
  const names = followers.map(({ follower }) => follower)
  const { store } = sources
  // First: a place moves together with what is said of its events, so what is read later knows of all that it passed.
  const slots = await slotPlaces(sources, names)
  const [passages, troubled] = await Promise.all([
    store.run<Passed>(passagesStatement, [names, record.position, longestPassage]),
    store.run<Troubled>(troubledStatement, [record.position, names]),
  ])
  return followers.flatMap((follower): DeliveryView[] => {
    const trouble = troubled.find(({ consumer }) => consumer === follower.follower)
    if (trouble !== undefined) return [troubledView(follower, trouble)]
    const passed = passages.filter(({ follower: name }) => name === follower.follower)
    if (follower.kind === 'cache') return cacheViews(follower, passed, sources.cachePosition() >= record.position)
    return [slotView(follower, passed, placeOf(record, slots, follower.follower))]
  })
}

/** The slot that the event belongs to, and whether that slot has passed it. */
function placeOf(
  record: LogRecord,
  slots: readonly SlotPlace[],
  follower: string,
): { passed: boolean; member: string | null } {
  const own = slots.filter(({ consumer }) => consumer === follower)
  const slot = own.find((each) => each.slot === slotOf(record, own.length))
  return { passed: slot !== undefined && slot.position >= record.position, member: slot?.member ?? null }
}

/** Every process has its own cache. */
function cacheViews(follower: Follower, passed: readonly Passed[], passedHere: boolean): DeliveryView[] {
  if (passed.length > 0) return passed.map((passage) => doneView(follower, passage))
  return [{ follower: follower.name, kind: 'cache', status: passedHere ? 'done' : 'waiting' }]
}

/**
 * One process handled it, or none has yet. A passage says from where to where, not of which slots: stretches of other
 * processes, and of this one before a retry, may reach over an event that they left alone.
 */
function slotView(
  follower: Follower,
  passages: readonly Passed[],
  { passed, member }: { passed: boolean; member: string | null },
): DeliveryView {
  const { name, kind } = follower
  if (!passed) return { follower: name, kind, status: 'waiting' }
  const ofHolder = passages.filter((passage) => passage.member === member)
  const oneMember = new Set(passages.map((passage) => passage.member)).size === 1
  const passage = (ofHolder.length > 0 ? ofHolder : oneMember ? passages : []).reduce<Passed | undefined>(
    (last, each) => (last === undefined || preciseMs(each.doneAt) > preciseMs(last.doneAt) ? each : last),
    undefined,
  )
  return passage === undefined ? { follower: name, kind, status: 'done' } : doneView(follower, passage)
}

function doneView({ name, kind }: Follower, { member, startedAt, doneAt }: Passed): DeliveryView {
  return { follower: name, kind, status: 'done', startedAt, doneAt, tookMs: betweenMs(startedAt, doneAt), member }
}

function troubledView({ name, kind }: Follower, { state, attempt, retryAt, error }: Troubled): DeliveryView {
  return {
    follower: name,
    kind,
    status: state,
    attempt,
    ...(retryAt === null ? {} : { retryAt }),
    ...(error === null ? {} : { error: { code: error.code, message: error.message } }),
  }
}
