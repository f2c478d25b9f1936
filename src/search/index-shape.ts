import { createHash } from 'node:crypto'
import { PlatformError } from '../kernel/errors.ts'

export interface SearchField {
  readonly field: string
  /** How much a match here counts beside a match in a field of weight 1. */
  readonly weight: number
}

/** What an engine has to know of an index: it needs no types and no functions. */
export interface IndexShape {
  readonly name: string
  /** Fields that are searched, at least one. */
  readonly search: readonly SearchField[]
  /** Fields to filter, sort and count by. */
  readonly filters: readonly string[]
  /** Changes when documents made before are no longer what the definition says. */
  readonly hash: string
}

/** Raised when words are cut or folded differently: what was indexed before must then be indexed again. */
const wordsVersion = 2

export interface ShapeSource {
  name: string
  search: readonly string[]
  filters: readonly string[]
  /** The text of the function that makes documents: another function makes others. */
  document: string
}

/** Checks the declared fields and reads their weights. @throws OPTION_INVALID */
export function indexShape({ name, search, filters, document }: ShapeSource): IndexShape {
  const fields = search.map((text) => searchField(name, text))
  if (fields.length === 0) throw new PlatformError('OPTION_INVALID', `index "${name}" searches no field`)
  for (const list of [fields.map(({ field }) => field), filters]) {
    const twice = list.find((field, i) => list.indexOf(field) !== i)
    if (twice !== undefined) throw new PlatformError('OPTION_INVALID', `index "${name}" names field "${twice}" twice`)
  }
  const parts = [wordsVersion, name, fields.map(({ field, weight }) => [field, weight]), filters, document]
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
  return Object.freeze({ name, search: fields, filters: [...filters], hash })
}

function searchField(name: string, text: string): SearchField {
  const [, field, weight] = /^([^^]+)(?:\^(\d+(?:\.\d+)?))?$/.exec(text) ?? []
  const value = Number(weight ?? 1)
  if (field !== undefined && value > 0 && value <= 1000) return { field, weight: value }
  throw new PlatformError('OPTION_INVALID', `index "${name}" cannot search "${text}"`, {
    hint: 'Write a field, or a field with a weight above 0 and up to 1000, such as "title^3".',
  })
}
