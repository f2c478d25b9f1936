import type { IndexShape } from './index-shape.ts'
import type { IndexedDocument } from './search-engine.ts'
import { type Token, textsOf, tokens } from './words.ts'

/** One way a word of the query may be met. */
export interface Reading {
  readonly term: string
  /** Also met by longer words that begin so. */
  readonly prefix: boolean
  /** 1 for the word as written, less for a guess. */
  readonly quality: number
}

/** A word of the query with everything it may stand for, best first. */
export interface QueryWord {
  readonly text: string
  /** Still being typed: longer words that begin so meet it too. */
  readonly unfinished: boolean
  /** What it counts beside the other words: rare words say more when a document has only some of them. */
  readonly weight: number
  readonly readings: readonly Reading[]
}

/** A word as it stands in the query. */
export function writtenWord(text: string, unfinished: boolean): QueryWord {
  return { text, unfinished, weight: 1, readings: [{ term: text, prefix: unfinished, quality: 1 }] }
}

/** A field of a document as relevance and highlighting see it. */
export interface FieldText {
  readonly field: string
  /** Share of the highest weight, from 0 to 1. */
  readonly weight: number
  readonly text: string
  readonly tokens: readonly Token[]
}

export interface Relevance {
  /** From 0 to 1. */
  readonly score: number
  /** For each word of the query the term that met it best; `undefined` where none did. */
  readonly met: readonly (string | undefined)[]
}

/** More of a text than this says little about what it is about, and costs as much again. */
const maxRankedText = 2000

export function fieldTexts(shape: IndexShape, document: IndexedDocument): FieldText[] {
  const most = Math.max(...shape.search.map(({ weight }) => weight))
  return shape.search.flatMap(({ field, weight }) =>
    textsOf(document[field]).map((whole) => {
      const text = whole.slice(0, maxRankedText)
      return { field, weight: weight / most, text, tokens: tokens(text) }
    }),
  )
}

/** How well a word meets a term: 0 is not at all. A finished word is better than one half typed. */
export function quality(word: QueryWord, term: string): number {
  let best = 0
  for (const reading of word.readings) {
    if (reading.quality <= best) continue
    if (reading.term === term) best = reading.quality
    else if (reading.prefix && term.startsWith(reading.term)) {
      best = Math.max(best, reading.quality * (0.6 + (0.3 * reading.term.length) / term.length))
    }
  }
  return best
}

const otherFields = 0.2
const nearness = 0.5
const beginning = 0.3
const whole = 1

/**
 * Scores a document: how well each word is met and in which field (the best field counts, others add a little, long
 * texts count less), how near to each other and in order the words stand, and whether they are how a field begins or all
 * that it says.
 */
export function relevance(words: readonly QueryWord[], fields: readonly FieldText[]): Relevance {
  const best = words.map(() => 0)
  const sum = words.map(() => 0)
  const met: (string | undefined)[] = words.map(() => undefined)
  let together = 0
  for (const field of fields) {
    const matches = words.map((word) => matchesIn(word, field.tokens))
    const share = field.weight / (1 + 0.12 * Math.log(1 + lengthOf(field)))
    matches.forEach((found, i) => {
      const worth = found.quality * share
      sum[i] = (sum[i] as number) + worth
      if (worth <= (best[i] as number)) return
      best[i] = worth
      met[i] = found.term
    })
    together = Math.max(together, field.weight * togetherness(matches, lengthOf(field)))
  }
  const total = words.reduce((all, { weight }) => all + weight, 0)
  let single = 0
  let found = 0
  words.forEach(({ weight }, i) => {
    const value = best[i] as number
    single += weight * (value + otherFields * ((sum[i] as number) - value))
    if (met[i] !== undefined) found += weight
  })
  // Words count as if there were as many of weight 1, so that closeness keeps its share.
  const share = total === 0 ? 0 : words.length / total
  const most = words.length * (1 + otherFields) + nearness * (words.length - 1) + beginning + whole
  return { score: ((single * share + together) / most) * (found / (total || 1)) ** 2, met }
}

interface Match {
  quality: number
  term: string | undefined
  /** Where words of this or nearly this quality stand. */
  positions: number[]
}

function matchesIn(word: QueryWord, list: readonly Token[]): Match {
  const match: Match = { quality: 0, term: undefined, positions: [] }
  for (const { term, position } of list) {
    const value = quality(word, term)
    if (value === 0) continue
    match.positions.push(position)
    if (value <= match.quality) continue
    match.quality = value
    match.term = term
  }
  return match
}

/** Worth of the words standing together: pairs near each other and in order, and the field beginning or ending with them. */
function togetherness(matches: readonly Match[], length: number): number {
  let worth = 0
  for (let i = 1; i < matches.length; i += 1) {
    const [left, right] = [matches[i - 1] as Match, matches[i] as Match]
    worth += nearness * closeness(left.positions, right.positions) * Math.min(left.quality, right.quality)
  }
  const weakest = Math.min(...matches.map((match) => match.quality))
  if (!matches.every(({ positions }, i) => positions.includes(i))) return worth
  return worth + weakest * (beginning + (matches.length === length ? whole : 0))
}

/** 1 for neighbours in order, less the farther apart; turned pairs count little over half. */
function closeness(left: readonly number[], right: readonly number[]): number {
  let best = 0
  for (const a of left) {
    for (const b of right) {
      if (a === b) continue
      best = Math.max(best, b > a ? 1 / (b - a) : 0.6 / (a - b))
    }
  }
  return best
}

function lengthOf({ tokens: list }: FieldText): number {
  return list.reduce((most, { position }) => Math.max(most, position + 1), 0)
}
