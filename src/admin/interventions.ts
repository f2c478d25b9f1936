import type { Intervention, InterventionPage, Operations } from './contract.ts'
import { namedIn } from './selection.ts'
import type { AdminSources } from './sources.ts'

const named = namedIn('i')
const text = `select i.id, i.at, i.by, i.action, ${named.columns}, i.position, i.type, i.key, i.reason, i.what
    from millrace.interventions i ${named.join}
   where ($1::text is null or coalesce(r.consumer, i.consumer) = $1) and ($2::bigint is null or i.position = $2)
     and ($3::text is null or i.action = $3) and ($4::bigint is null or i.id < $4)
     and ($6::text is null or i.consumer = $6)
   order by i.id desc limit $5`

interface Row extends Omit<Intervention, 'position' | 'type' | 'reason' | 'what'> {
  position: number | null
  type: string | null
  reason: string | null
  what: unknown
}

/** What people did, newest first. @param stored only this consumer or replay, by the name under which it is stored */
export async function interventionPage(
  { store }: AdminSources,
  { consumer, position, action, before, limit = 50 }: Operations['interventions']['input'],
  stored?: string,
): Promise<InterventionPage> {
  const filter = [consumer ?? null, position ?? null, action ?? null, before ?? null]
  const rows = await store.sql.query<Row>(text, [...filter, limit + 1, stored ?? null])
  const shown = rows.slice(0, limit).map(viewOf)
  const last = shown.at(-1)
  return { interventions: shown, ...(rows.length > limit && last !== undefined ? { next: last.id } : {}) }
}

function viewOf({ position, type, key, reason, what, ...rest }: Row): Intervention {
  return {
    ...rest,
    ...(position === null ? {} : { position, key }),
    ...(type === null ? {} : { type }),
    ...(reason === null ? {} : { reason }),
    ...(what === null ? {} : { what }),
  }
}
