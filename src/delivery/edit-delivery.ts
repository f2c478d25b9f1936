import type { Statement } from '../store/sql.ts'
import type { Transaction } from '../store/store.ts'
import { type Signature, tell } from './interventions.ts'

/** What stands in for the data of the log, and the version of its shape. */
export interface EditedData {
  readonly data: string
  readonly version: number
}

// A try that is under way has the old data: the change makes it fail to commit.
const editStatement: Statement = {
  name: 'millrace-edit-delivery',
  text: `with old as (
      select data from millrace.deliveries where consumer = $1 and position = $2 for update
    ), changed as (
      update millrace.deliveries d set data = $3, data_version = $4, edited_by = $5, edit_reason = $6, edited_at = now(),
        change = change + 1, updated_at = now() where consumer = $1 and position = $2 returning d.*
    )
    insert into millrace.interventions (by, action, consumer, position, type, key, reason, what)
    select $5, 'edit', d.consumer, d.position, d.type, d.key, $6, json_build_object('before', old.data, 'data', d.data)
      from changed d, old returning id`,
}

/** Lets the handler have other data for a delivery in trouble. Says whether there is such a one. */
export async function editDelivery(
  tx: Transaction,
  { consumer, position }: { consumer: string; position: number },
  { data, version }: EditedData,
  { by, reason }: Signature,
): Promise<boolean> {
  const rows = await tx.run(editStatement, [consumer, position, data, version, by, reason])
  await tell(tx, [consumer])
  return rows.length > 0
}

const undoStatement: Statement = {
  name: 'millrace-undo-edit',
  text: `with old as (
      select data from millrace.deliveries where consumer = $1 and position = $2 for update
    ), changed as (
      update millrace.deliveries d set data = null, data_version = null, edited_by = null, edit_reason = null, edited_at = null,
        change = change + 1, updated_at = now() where consumer = $1 and position = $2 and data is not null returning d.*
    )
    insert into millrace.interventions (by, action, consumer, position, type, key, reason, what)
    select $3, 'undo-edit', d.consumer, d.position, d.type, d.key, $4, json_build_object('before', old.data)
      from changed d, old returning id`,
}

/** Lets the handler have what the log says again. Says whether it was edited. */
export async function undoEdit(
  tx: Transaction,
  { consumer, position }: { consumer: string; position: number },
  { by, reason }: Signature,
): Promise<boolean> {
  const rows = await tx.run(undoStatement, [consumer, position, by, reason])
  await tell(tx, [consumer])
  return rows.length > 0
}
