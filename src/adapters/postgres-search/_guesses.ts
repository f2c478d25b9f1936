import { editDistance, prefixDistance } from '../../search/edit-distance.ts'
import type { QueryWord, Reading } from '../../search/relevance.ts'
import { editsAllowed } from './_neighbours.ts'

/** A stored word that a word of a query may have been meant to be. */
export interface Guess {
  readonly reading: Reading
  /** Near the beginning of a longer word only. */
  readonly early: boolean
}

/** More would cost a look-up each and blur the answer. */
const maxGuesses = 6

/** The likeliest of the given terms, likeliest first. */
export function guessesOf(word: QueryWord, terms: readonly string[]): Guess[] {
  const max = editsAllowed(word.text.length)
  return terms
    .flatMap((term) => (term === word.text ? [] : guessOf(word, term, max)))
    .sort((a, b) => b.reading.quality - a.reading.quality)
    .slice(0, maxGuesses)
}

function guessOf({ text, unfinished }: QueryWord, term: string, max: number): Guess[] {
  const edits = editDistance(text, term, max)
  if (edits <= max) return [{ early: false, reading: { term, prefix: false, quality: likelihood(text, term, edits) } }]
  if (!unfinished || term.length <= text.length) return []
  const begun = prefixDistance(text, term, max)
  if (begun === 0 || begun > max) return []
  return [{ early: true, reading: { term, prefix: false, quality: 0.5 * likelihood(text, term, begun) } }]
}

/** Swapped letters and single for double ones are the likeliest slips, a wrong first letter the least likely. */
function likelihood(text: string, term: string, edits: number): number {
  const easy = sorted(text) === sorted(term) || text.replace(doubles, '$1') === term.replace(doubles, '$1')
  const base = edits <= 1 ? (easy ? 0.8 : 0.7) : easy ? 0.6 : 0.5
  return text[0] === term[0] ? base : base * 0.8
}

const doubles = /(.)\1+/g

function sorted(text: string): string {
  return Array.from(text).sort().join('')
}
