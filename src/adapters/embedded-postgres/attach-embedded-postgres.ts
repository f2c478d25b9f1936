import { PlatformError } from '../../kernel/errors.ts'
import { fileFailure } from './_failure.ts'
import { currentHolder } from './_folder-lock.ts'
import { readPassword } from './_password.ts'
import { urlOf } from './_ready.ts'
import { readState } from './_state.ts'

/** A server that another process runs. */
export interface AttachedPostgres {
  /** `postgres://…` with the password. */
  url: string
  port: number
  version: string
  /** The process that runs it. */
  pid: number
}

/**
 * Finds the Postgres that an app runs in `directory`, for commands beside the app. Opens nothing and needs no closing.
 * Throws POSTGRES_NOT_RUNNING when no app runs there or it is still starting, POSTGRES_DISK when this user may not read
 * the password.
 */
export async function attachEmbeddedPostgres(directory: string): Promise<AttachedPostgres> {
  try {
    const holder = await currentHolder(directory)
    if (holder === undefined) throw new PlatformError('POSTGRES_NOT_RUNNING', `no app runs in ${directory}`)
    const state = await readState(directory)
    const password = await readPassword(directory)
    if (state?.pid !== holder.pid || password === undefined) {
      throw new PlatformError(
        'POSTGRES_NOT_RUNNING',
        `the app in ${directory} (process ${holder.pid}) is still starting`,
        { hint: 'Try again in a moment.' },
      )
    }
    const { port, database, version } = state
    return { url: urlOf({ port, password, database }), port, version, pid: holder.pid }
  } catch (error) {
    throw fileFailure(error, directory)
  }
}
