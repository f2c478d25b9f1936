import { PlatformError } from './errors.ts'

const pattern = /^[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*$/

/** Checks the durable name of a declaration: it is an identity in the database, so it is short and plain. */
export function checkName(kind: string, name: string): void {
  if (pattern.test(name) && name.length <= 60) return
  throw new PlatformError('NAME_INVALID', `${kind} "${name}" has a name that cannot be used (at most 60 characters)`)
}
