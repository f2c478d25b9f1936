import { createHash } from 'node:crypto'
import type { IndexShape } from '../../search/index-shape.ts'
import type { FilterScalar, IndexedDocument } from '../../search/search-engine.ts'
import { queryTerms, textsOf, tokens } from '../../search/words.ts'
import { fieldLabels } from './_field-labels.ts'
import { firstWord, wholeField } from './_text-query.ts'

/** A document as its columns. */
export interface DocumentRow {
  readonly document: string
  /** As a text for tsvector. */
  readonly terms: string
  /** The values of each filter field as a list, as JSON; `null` when the index filters by nothing. */
  readonly filters: string | null
  /** Its words, for the table of words. */
  readonly words: Iterable<string>
}

/** Postgres bounds a tsvector: 16,383 is the highest position, 256 are most of one word. */
const maxPosition = 16_383
const maxPositions = 255
/** What is farther into a document is not searched; with the bounds of a word this stays below 1 MB. */
const maxWords = 10_000
/** Between fields, so that words of two fields are no neighbours. */
const gap = 16
/** Fields with more words are no titles: nobody types them whole. */
const maxWholeWords = 10

/** Takes a document apart for one index; the shape is looked at once. */
export function documentRows(shape: IndexShape): (document: IndexedDocument) => DocumentRow {
  const labels = fieldLabels(shape.search)
  return (document) => {
    const found = new Map<string, string[]>()
    let offset = 1
    let count = 0
    shape.search.forEach(({ field }, i) => {
      const label = labels.labelOf[i] as string
      for (const text of textsOf(document[field])) {
        if (count >= maxWords) return
        const list = tokens(text).slice(0, maxWords - count)
        for (const { term, position } of list) place(found, term, offset + position, label)
        count += list.length
        placeField(found, { text, first: list[0]?.term, short: list.length <= maxWholeWords * 2 }, offset, label)
        offset += (list.at(-1)?.position ?? 0) + gap
      }
    })
    return {
      document: JSON.stringify(document),
      terms: vectorText(found),
      filters: shape.filters.length === 0 ? null : JSON.stringify(filterValues(shape.filters, document)),
      words: found.keys(),
    }
  }
}

function place(found: Map<string, string[]>, term: string, position: number, label: string): void {
  if (term === '') return
  const entry = `${Math.min(position, maxPosition)}${label}`
  const positions = found.get(term)
  if (positions === undefined) found.set(term, [entry])
  else if (positions.length < maxPositions) positions.push(entry)
}

/** Words that say how a field begins and, where it is short, what it says as a whole. */
function placeField(
  found: Map<string, string[]>,
  { text, first, short }: { text: string; first: string | undefined; short: boolean },
  offset: number,
  label: string,
): void {
  if (first === undefined) return
  place(found, firstWord(first), offset, label)
  const terms = short ? queryTerms(text, maxWholeWords + 1) : []
  if (terms.length > 0 && terms.length <= maxWholeWords) place(found, wholeField(terms), offset, label)
}

/** The text form of a tsvector (PostgreSQL manual, 8.11.1). Words are letters and digits only: nothing to escape. */
function vectorText(found: ReadonlyMap<string, readonly string[]>): string {
  let text = ''
  for (const [term, positions] of found) text += `'${term}':${positions.join(',')} `
  return text
}

function filterValues(fields: readonly string[], document: IndexedDocument): Record<string, FilterScalar[]> {
  const out: Record<string, FilterScalar[]> = {}
  for (const field of fields) {
    const value = document[field]
    const list: unknown[] = Array.isArray(value) ? value : [value]
    const scalars = list.flatMap((item): FilterScalar[] => {
      if (typeof item === 'string') return [filterText(item)]
      return typeof item === 'number' || typeof item === 'boolean' ? [item] : []
    })
    if (scalars.length > 0) out[field] = scalars
  }
  return out
}

const maxFilterText = 256

/** What is stored and asked for of a text: an index takes no long values, so the rest of a long one becomes its hash. */
export function filterText(text: string): string {
  const clean = text.replace(/[\0\p{Cs}]/gu, '\ufffd')
  if (clean.length <= maxFilterText) return clean
  return `${clean.slice(0, maxFilterText)}…${createHash('sha256').update(clean).digest('hex').slice(0, 16)}`
}
