import { isObject, type Schema } from './json-schema.ts'

/** A place at which a value that is valid under one schema is not under the other. */
export interface Gap {
  /** Place in the data as a JSON Pointer (RFC 6901); `*` stands for any item or any other field. '' is the whole. */
  readonly path: string
  /** What the one schema says there, and what the other. */
  readonly from: string
  readonly to: string
  readonly why: string
}

/** What compares the parts of a value. */
export interface Compare {
  /** Values valid under all of `from`, looked at under all of `to`. */
  gaps(from: readonly Schema[], to: readonly Schema[], path: string): Gap[]
}

export const wrongType = 'the type is another'

export function undecided(path: string, why: string): Gap {
  return { path, from: 'as before', to: 'undecided', why }
}

export const hasReference = (value: unknown): boolean => JSON.stringify(value)?.includes('"$ref"') ?? false

/** A schema or value in a few words. */
export function brief(value: unknown): string {
  if (value === undefined) return 'nothing said'
  if (isObject(value) && typeof value['type'] === 'string' && Object.keys(value).length <= 2) return value['type']
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
