import { PlatformError } from '../kernel/errors.ts'

/**
 * What an append expects of its stream: `'any'` state, that it has `'none'` or some (`'exists'`) events, or exactly so
 * many (the revision that was read).
 */
export type Expected = 'any' | 'none' | 'exists' | number

/** As the database function takes it, see store/migrations/0004_streams.sql. */
export function expectedNumber(expected: Expected): number {
  if (expected === 'any') return -1
  if (expected === 'exists') return -2
  if (expected === 'none') return 0
  if (Number.isSafeInteger(expected) && expected >= 0) return expected
  throw new PlatformError('OPTION_INVALID', `expect is ${expected}`, {
    hint: "Expect 'any', 'none', 'exists' or a revision: a whole number from 0.",
  })
}

export function conflict(stream: string, expected: Expected, actual: number): PlatformError {
  const found = actual === 0 ? 'has no events' : `is at revision ${actual}`
  const wanted = typeof expected === 'number' ? `revision ${expected}` : `'${expected}'`
  return new PlatformError('STREAM_CONFLICT', `the stream "${stream}" ${found}, expected was ${wanted}`)
}
