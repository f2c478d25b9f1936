import { PlatformError } from '../../kernel/errors.ts'

/** What the compiler knows of data of an older version: it was an object once. Annotate the parameter: you know more. */
export interface OlderData {
  // biome-ignore lint/suspicious/noExplicitAny: an index of `unknown` would refuse parameters annotated with an interface
  readonly [field: string]: any
}

/** A method, for then a parameter of a narrower type is accepted: `(data: OrderPaidV1) => …`. */
interface Step {
  step(data: OlderData): unknown
}

/**
 * By version: what makes data of the next version out of data of this one. A pure function: it runs on each read. The last
 * one must give the data as declared; a version without one is taken as it is.
 */
export type Upcasters<D, V extends number> = { readonly [version: number]: Step['step'] } & {
  readonly [K in Before<V>]?: (data: never) => D
} & { readonly [K in NoOlder<V>]?: never }

/** The version right before `V`; none where the compiler does not know it. */
type Before<V extends number> = Countable<V> extends true ? Exclude<CountBefore<V>, 0> : never
type CountBefore<V extends number, Counted extends 0[] = []> = [...Counted, 0]['length'] extends V
  ? Counted['length']
  : CountBefore<V, [...Counted, 0]>

/** Versions that are mistaken for older ones. */
type NoOlder<V extends number> = Countable<V> extends true ? 0 | V : never

/** From 1 to 99. */
type Countable<V extends number> = `${V}` extends FirstDigit | `${FirstDigit}${Digit}` ? true : false
type Digit = FirstDigit | '0'
type FirstDigit = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'

/** The same, where types no longer matter. */
export type UpcastSteps = ReadonlyMap<number, (data: unknown) => unknown>

/** @throws OPTION_INVALID */
export function upcastSteps(event: string, version: number, given: object = {}): UpcastSteps {
  const steps = new Map<number, (data: unknown) => unknown>()
  for (const [key, step] of Object.entries(given) as [string, unknown][]) {
    const from = Number(key)
    if (!Number.isInteger(from) || from < 1 || from >= version || typeof step !== 'function') {
      throw new PlatformError('OPTION_INVALID', `event ${event}: upcast[${key}] is no function for an older version`, {
        hint: `Give functions for versions from 1 to ${version - 1}: { version: ${version}, upcast: { 1: (data) => … } }.`,
      })
    }
    steps.set(from, step as (data: unknown) => unknown)
  }
  return steps
}

/** Data of version `from` as it is after all steps. Throws EVENT_UPCAST_FAILED when one of them fails. */
export function upcast(event: string, steps: UpcastSteps, from: number, version: number, data: unknown): unknown {
  let brought = data
  for (let at = from; at < version; at += 1) {
    const step = steps.get(at)
    if (step === undefined) continue
    try {
      brought = step(brought)
    } catch (cause) {
      throw new PlatformError('EVENT_UPCAST_FAILED', `event ${event}: the upcaster of version ${at} failed`, { cause })
    }
  }
  return brought
}
