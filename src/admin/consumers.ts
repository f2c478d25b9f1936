import type { Statement } from '../store/sql.ts'
import type { ConsumerView, Status } from './contract.ts'
import { momentOf, preciseMs } from './event-list.ts'
import { followersOf } from './followers.ts'
import { policyOf } from './policy.ts'
import type { Rates } from './rates.ts'
import { slotPlaces } from './slot-places.ts'
import type { AdminSources } from './sources.ts'

const troubleStatement: Statement = {
  name: 'millrace-admin-trouble',
  text: `select consumer, count(*) filter (where state = 'retrying')::int as retrying, count(*) filter (where state = 'held')::int as held,
      count(*) filter (where state = 'dead')::int as dead from millrace.deliveries where consumer = any($1::text[]) group by consumer`,
}
const ageStatement: Statement = {
  name: 'millrace-admin-age',
  text: `select p.position, (select t.at from millrace.ticks t where t.base <= p.position order by t.base desc limit 1) as at
    from unnest($1::bigint[]) as p(position)`,
}

interface Trouble {
  consumer: string
  retrying: number
  held: number
  dead: number
}
const noTrouble = { retrying: 0, held: 0, dead: 0 }

/** Every follower with how far it is behind and what waits. */
export async function consumerViews(sources: AdminSources, rates: Rates): Promise<ConsumerView[]> {
  const { store, feed } = sources
  const followers = followersOf(sources.parts)
  const stored = followers.filter(({ kind }) => kind !== 'cache').map(({ follower }) => follower)
  const [slots, troubles] = await Promise.all([
    slotPlaces(sources, stored),
    store.run<Trouble>(troubleStatement, [stored]),
  ])
  const head = feed.head
  const views = followers.map(({ follower, name, kind, types }): ConsumerView => {
    const own = slots.filter(({ consumer }) => consumer === follower)
    const running = sources.consumers().find((consumer) => consumer.name === follower)
    const position = kind === 'cache' ? sources.cachePosition() : Math.min(...own.map(({ position }) => position), head)
    const { retrying, held, dead } = troubles.find(({ consumer }) => consumer === follower) ?? noTrouble
    const lag = Math.max(0, head - position)
    const paused = own.some((slot) => slot.paused)
    const stoppedBy = own[0]?.stoppedBy
    const etaMs = rates.etaMs(follower, lag)
    return {
      name,
      kind,
      follows: [...types],
      status: statusOf({ paused, retrying, dead, lag }),
      position,
      lag,
      lagSeconds: 0,
      rate: kind === 'cache' ? rateOf(types, rates) : rates.ofConsumer(follower),
      retrying,
      held,
      dead,
      paused,
      ...(stoppedBy === null || stoppedBy === undefined ? {} : { stoppedBy }),
      ...(etaMs === undefined ? {} : { etaMs }),
      policy: policyOf(sources.parts, follower),
      slots: own.map(({ slot, position: at, member }) => ({ slot, position: at, member })),
      ...quantiles(running),
    }
  })
  return withAges(sources, views)
}

const rateOf = (types: readonly string[], rates: Rates): number =>
  types.reduce((sum, type) => sum + rates.ofType(type), 0)

function statusOf({
  paused,
  retrying,
  dead,
  lag,
}: {
  paused: boolean
  retrying: number
  dead: number
  lag: number
}): Status {
  if (paused) return 'paused'
  if (dead > 0) return 'failed'
  if (retrying > 0) return 'retrying'
  return lag > 0 ? 'running' : 'ok'
}

function quantiles(running: { latencyQuantile(q: number): number | undefined } | undefined): {
  p50Ms?: number
  p95Ms?: number
} {
  const [p50, p95] = [running?.latencyQuantile(0.5), running?.latencyQuantile(0.95)]
  return { ...(p50 === undefined ? {} : { p50Ms: p50 * 1000 }), ...(p95 === undefined ? {} : { p95Ms: p95 * 1000 }) }
}

/** How old the first event of its type is that a follower has not passed. */
async function withAges({ store, feed, clock }: AdminSources, views: readonly ConsumerView[]): Promise<ConsumerView[]> {
  const since = new Map<ConsumerView, string>()
  const beyondMemory: ConsumerView[] = []
  for (const view of views.filter(({ lag }) => lag > 0)) {
    const ahead = feed.kept(view.position)
    const first = ahead?.find(({ type }) => view.follows.includes(type))
    if (first !== undefined) since.set(view, momentOf(first.at))
    else if (ahead === undefined) beyondMemory.push(view)
  }
  // Who is further behind than memory goes back: the tick of the first event of any type is near enough, and cheap.
  const positions = [...new Set(beyondMemory.map(({ position }) => position))]
  const rows =
    positions.length === 0 ? [] : await store.run<{ position: number; at: string | null }>(ageStatement, [positions])
  for (const view of beyondMemory) {
    const at = rows.find(({ position }) => position === view.position)?.at
    if (at != null) since.set(view, at)
  }
  return views.map((view) => {
    const at = since.get(view)
    return at === undefined ? view : { ...view, lagSeconds: Math.max(0, clock.now() - preciseMs(at)) / 1000 }
  })
}
