import { PlatformError } from './errors.ts'

/** So many in a time: `'100/s'`, `'30/m'`, `'1000/h'`. */
export type Rate = `${number}/${'s' | 'm' | 'h'}`

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600 }

/** @throws OPTION_INVALID */
export function perSecond(rate: Rate): number {
  const match = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(rate)
  const seconds = unitSeconds[match?.[2] ?? '']
  const count = Number(match?.[1])
  if (seconds === undefined || !(count > 0))
    throw new PlatformError('OPTION_INVALID', `"${rate}" is not a rate`, { hint: "Write '100/s', '30/m' or '1000/h'." })
  return count / seconds
}
