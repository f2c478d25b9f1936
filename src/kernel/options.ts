import { PlatformError } from './errors.ts'

/** Applies defaults to an options object and refuses keys that nobody knows, naming the nearest known one. */
export function resolveOptions<D extends object, O extends object>(where: string, defaults: D, options: O): D & O {
  const known = Object.keys(defaults)
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new PlatformError('OPTION_UNKNOWN', `${where} has no option "${key}"`, {
      hint: `Known options: ${known.join(', ')}.`,
    })
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return Object.freeze({ ...defaults, ...given }) as D & O
}
