import type { QueryWord, Reading } from '../../search/relevance.ts'

/** The queries (as texts for tsquery) behind one search. */
export interface TextQuery {
  /** What a document must match, as far as the index is asked. */
  readonly match: string
  /** What it must match besides: too many words begin so for the index to look them all up. */
  readonly check: string | undefined
  /** What counts for its place: every reading, and the words as a whole field. */
  readonly rank: string
  /** The words one behind the other; `undefined` for a single word. */
  readonly phrase: string | undefined
  /** Fields that begin with the words: such documents are looked at however many others match. */
  readonly begins: string
}

/** The word that stands in a tsvector for a field that says exactly these terms: no text has such a word. */
export function wholeField(terms: readonly string[]): string {
  return `=${terms.join(' ')}`
}

/** The word that stands for a field's first word, in its place. */
export function firstWord(term: string): string {
  return `^${term}`
}

/** How many of the words a document must meet. */
export type Need = 'every' | 'all but one' | 'any'

/** Beginnings this short stand for thousands of words. */
const shortPrefix = 2

export function textQuery(words: readonly QueryWord[], need: Need): TextQuery {
  const first = words.flatMap(({ readings }) => readings.slice(0, 1))
  const rank = words.flatMap(({ readings }) => readings.flatMap(rankLexemes))
  rank.push(quoteTerm(wholeField(first.map(({ term }) => term))))
  const last = words.at(-1)
  const checked = need === 'every' && words.length > 1 && last?.unfinished === true && last.text.length <= shortPrefix
  const asked = checked ? words.slice(0, -1) : words
  return {
    match: matchText(asked.map(wordText), need),
    check: checked && last !== undefined ? wordText(last) : undefined,
    rank: [...new Set(rank)].join(' | '),
    phrase: words.length > 1 ? first.map(lexeme).join(' <-> ') : undefined,
    begins: first
      .map((reading, i) => lexeme(i > 0 ? reading : { ...reading, term: firstWord(reading.term) }))
      .join(' <-> '),
  }
}

function wordText({ readings }: QueryWord): string {
  return `(${readings.map(lexeme).join(' | ')})`
}

function matchText(words: readonly string[], need: Need): string {
  if (need === 'any') return words.join(' | ')
  if (need === 'every') return words.join(' & ')
  return words.map((_, left) => `(${words.filter((_, i) => i !== left).join(' & ')})`).join(' | ')
}

function lexeme({ term, prefix }: Reading): string {
  return prefix ? `${quoteTerm(term)}:*` : quoteTerm(term)
}

/** A finished word meets both of a prefix's lexemes, so it ranks above a longer one. */
function rankLexemes(reading: Reading): string[] {
  return reading.prefix ? [quoteTerm(reading.term), lexeme(reading)] : [lexeme(reading)]
}

/** Quotes a lexeme in the text form of tsquery (PostgreSQL manual, 8.11.2). */
export function quoteTerm(term: string): string {
  return `'${term.replace(/[\\']/g, '$&$&')}'`
}
