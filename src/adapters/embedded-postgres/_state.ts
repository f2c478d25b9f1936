import { join } from 'node:path'
import { readJson, writeWhole } from './_files.ts'

/** What is remembered of a running server in `postgres.json`; no secret is in it. */
export interface State {
  /** Of the app that holds the folder. */
  pid: number
  port: number
  database: string
  version: string
}

export async function readState(directory: string): Promise<State | undefined> {
  const found = await readJson(statePath(directory))
  if (found === undefined) return undefined
  const { pid, port, database, version } = found
  if (
    typeof pid !== 'number' ||
    typeof port !== 'number' ||
    typeof database !== 'string' ||
    typeof version !== 'string'
  )
    return undefined
  return { pid, port, database, version }
}

export async function writeState(directory: string, state: State): Promise<void> {
  await writeWhole(statePath(directory), `${JSON.stringify(state, undefined, 2)}\n`, 0o644)
}

function statePath(directory: string): string {
  return join(directory, 'postgres.json')
}
