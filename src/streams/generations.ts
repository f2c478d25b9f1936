import { PlatformError } from '../kernel/errors.ts'
import { quoteName, type Sql } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { ProjectionDefinition } from './projection.ts'

/** A projection as stored: the generation its view shows, and the one that is built beside it. */
export interface Generations {
  readonly name: string
  readonly live: number | null
  readonly liveVersion: number | null
  readonly building: number | null
  readonly buildingVersion: number | null
}

const columns =
  'name, live, live_version as "liveVersion", building, building_version as "buildingVersion" from millrace.projections'

export async function readGenerations(store: Store, names: readonly string[]): Promise<Generations[]> {
  return store.sql.query<Generations>(`select ${columns} where name = any($1)`, [names])
}

async function lock(tx: Transaction, name: string): Promise<Generations> {
  await tx.sql`insert into millrace.projections (name) values (${name}) on conflict do nothing`
  const [row] = await tx.sql.query<Generations>(`select ${columns} where name = $1 for update`, [name])
  if (row === undefined) throw new PlatformError('INTERNAL', `projection ${name} is not stored`)
  return row
}

export const tableOf = (name: string, generation: number): string => quoteName(`${name}_${generation}`)
export const consumerOf = (name: string, generation: number): string => `projection:${name}:${generation}`

/** Begins to build what is new or was declared in a newer version; changes nothing else. Safe in several processes at once. */
export function prepareProjection(store: Store, definition: ProjectionDefinition): Promise<void> {
  return store.transaction(async (tx) => {
    const stored = await lock(tx, definition.name)
    const newest = Math.max(stored.liveVersion ?? 0, stored.buildingVersion ?? 0)
    if (definition.version > newest) await build(tx, definition, stored)
  })
}

/** Begins to build the same version anew, from the beginning of the log. */
export function rebuildProjection(store: Store, definition: ProjectionDefinition): Promise<void> {
  return store.transaction(async (tx) => build(tx, definition, await lock(tx, definition.name)))
}

async function build(
  tx: Transaction,
  { name, version, setup }: ProjectionDefinition,
  stored: Generations,
): Promise<void> {
  const generation = Math.max(stored.live ?? 0, stored.building ?? 0) + 1
  const table = tableOf(name, generation)
  await setup({ sql: tx.sql, table })
  // Until there is a first version that is complete, people see it grow.
  if (stored.live === null) await show(tx.sql, name, generation)
  if (stored.building !== null) await forget(tx, name, stored.building)
  await tx.sql`update millrace.projections
    set building = ${generation}, building_version = ${version}, building_since = now() where name = ${name}`
}

/** Whether the generation that is being built has taken in everything up to `position`, and nothing of it is in trouble. */
export async function hasReached(store: Store, name: string, generation: number, position: number): Promise<boolean> {
  const consumer = consumerOf(name, generation)
  const [row] = await store.sql<{ reached: boolean }>`
    select coalesce(min(s.position) >= ${position}, false)
       and not exists (select from millrace.deliveries where consumer = ${consumer}) as reached
      from millrace.consumer_slots s where s.consumer = ${consumer}`
  return row?.reached === true
}

/** Shows this generation, which was being built, instead of the live one. Returns whether it was still being built. */
export function switchOver(store: Store, name: string, generation: number): Promise<boolean> {
  return store.transaction(async (tx) => {
    const { building, live } = await lock(tx, name)
    if (building !== generation) return false
    await show(tx.sql, name, building)
    if (live !== null) await forget(tx, name, live)
    await tx.sql`update millrace.projections set live = building, live_version = building_version, live_since = now(),
      building = null, building_version = null, building_since = null where name = ${name}`
    return true
  })
}

/** In one transaction: nobody sees a moment without it. */
async function show(sql: Sql, name: string, generation: number): Promise<void> {
  const view = quoteName(name)
  await sql.query(`drop view if exists ${view}`)
  await sql.query(`create view ${view} as select * from ${tableOf(name, generation)}`)
}

async function forget(tx: Transaction, name: string, generation: number): Promise<void> {
  await tx.sql.query(`drop table if exists ${tableOf(name, generation)}`)
  await tx.sql`delete from millrace.consumers where name = ${consumerOf(name, generation)}`
}
