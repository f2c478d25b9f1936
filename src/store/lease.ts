import { PlatformError } from '../kernel/errors.ts'
import { alive, type Member } from './member.ts'
import type { Statement } from './sql.ts'
import type { Store, Transaction } from './store.ts'

/** A duty that one process of the fleet has. Write under it only after `assertHeld` in the same transaction. */
export interface Lease {
  readonly name: string
  readonly epoch: number
}

const acquireStatement: Statement = {
  name: 'millrace-lease',
  text: `insert into millrace.leases as l (name, owner, epoch) values ($1, $2, 1)
    on conflict (name) do update set owner = excluded.owner, epoch = l.epoch + (l.owner is distinct from excluded.owner)::int
      where l.owner is null or l.owner = excluded.owner or not ${alive('l.owner')}
    returning epoch`,
}
const releaseStatement: Statement = {
  name: 'millrace-release',
  text: 'update millrace.leases set owner = null where name = $1 and epoch = $2',
}
// The share lock keeps a successor out until the transaction that relies on the lease has ended.
const holdStatement: Statement = {
  name: 'millrace-hold',
  text: 'select epoch from millrace.leases where name = $1 and epoch = $2 for share',
}

/** Takes the lease if it is free or its holder is dead, keeps it if it is ours; `undefined` while another process has it. */
export async function acquireLease(store: Store, member: Member, name: string): Promise<Lease | undefined> {
  const [row] = await store.run<{ epoch: number }>(acquireStatement, [name, member.id])
  return row === undefined ? undefined : { name, epoch: row.epoch }
}

export async function releaseLease(store: Store, lease: Lease): Promise<void> {
  await store.run(releaseStatement, [lease.name, lease.epoch])
}

/** @throws LEASE_LOST when another process has taken over: the transaction must not commit. */
export async function assertHeld(tx: Transaction, lease: Lease): Promise<void> {
  const rows = await tx.run(holdStatement, [lease.name, lease.epoch])
  if (rows.length === 0) throw new PlatformError('LEASE_LOST', `another process took over "${lease.name}"`)
}
