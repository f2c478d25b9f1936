import type { Statement } from '../store/sql.ts'
import type { Transaction } from '../store/store.ts'
import { type Signature, tell } from './interventions.ts'

/** What stands in for the data of the log, and the version of its shape. */
export interface EditedData {
  readonly data: string
  readonly version: number
}

const lockStatement: Statement = {
  name: 'millrace-lock-delivery',
  text: 'select data::text from millrace.deliveries where consumer = $1 and position = $2 for update',
}
// A try that is under way has the old data: the change makes it fail to commit.
const editStatement: Statement = {
  name: 'millrace-edit-delivery',
  text: `with changed as (
      update millrace.deliveries d set data = $3, data_version = $4, edited_by = $5, edit_reason = $6,
        edited_at = case when $3::json is not null then now() end, change = change + 1, updated_at = now()
       where consumer = $1 and position = $2 returning d.*
    )
    insert into millrace.interventions (by, action, consumer, position, type, key, reason, what)
    select $7, case when $3::json is null then 'undo-edit' else 'edit' end, d.consumer, d.position, d.type, d.key, $8,
        json_build_object('before', $9::json, 'data', d.data) from changed d`,
}

/** Where a delivery stands. */
export interface DeliveryPlace {
  readonly consumer: string
  readonly position: number
}

/** Lets the handler have other data for a delivery in trouble. Says whether there is such a one. */
export async function editDelivery(
  tx: Transaction,
  place: DeliveryPlace,
  edited: EditedData,
  signed: Signature,
): Promise<boolean> {
  const [old] = await tx.run<{ data: string | null }>(lockStatement, [place.consumer, place.position])
  if (old === undefined) return false
  await change(tx, place, { edited, before: old.data }, signed)
  return true
}

/** Lets the handler have what the log says again. Says whether it was edited. */
export async function undoEdit(tx: Transaction, place: DeliveryPlace, signed: Signature): Promise<boolean> {
  const [old] = await tx.run<{ data: string | null }>(lockStatement, [place.consumer, place.position])
  if (old === undefined || old.data === null) return false
  await change(tx, place, { edited: null, before: old.data }, signed)
  return true
}

async function change(
  tx: Transaction,
  { consumer, position }: DeliveryPlace,
  { edited, before }: { edited: EditedData | null; before: string | null },
  { by, reason }: Signature,
): Promise<void> {
  const now = edited === null ? [null, null, null, null] : [edited.data, edited.version, by, reason]
  await tx.run(editStatement, [consumer, position, ...now, by, reason, before])
  await tell(tx, [consumer])
}
