import type { Statement } from '../store/sql.ts'
import type { ConsumerView } from './contract.ts'
import type { AdminSources } from './sources.ts'

/** How far one slot of a follower is, and who holds it. */
export interface SlotPlace {
  readonly consumer: string
  readonly slot: number
  readonly position: number
  readonly member: string | null
  readonly paused: boolean
  /** The failure for which the consumer paused itself. */
  readonly stoppedBy: ConsumerView['stoppedBy'] | null
}

const slotsStatement: Statement = {
  name: 'millrace-admin-slots',
  text: `select s.consumer, s.slot, s.position, m.name as member, c.paused, c.stopped_by as "stoppedBy"
    from millrace.consumer_slots s join millrace.consumers c on c.name = s.consumer left join millrace.members m on m.id = s.owner
   where s.consumer = any($1::text[]) order by s.consumer, s.slot`,
}

/**
 * The places of all slots, whichever process holds them. Places that moved over foreign events only are stored once a
 * second: of the slots that it holds, this process knows newer ones. Of all others the stored place is the truth.
 */
export async function slotPlaces(sources: AdminSources, followers: readonly string[]): Promise<SlotPlace[]> {
  if (followers.length === 0) return []
  const rows = await sources.store.run<SlotPlace>(slotsStatement, [followers])
  const running = new Map(sources.consumers().map((consumer) => [consumer.name, consumer]))
  return rows.map((row) => {
    const known = running.get(row.consumer)?.positionOf(row.slot) ?? 0
    return { ...row, position: Math.max(row.position, known) }
  })
}
