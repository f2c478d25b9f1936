import type { QueryWord, Reading } from '../../search/relevance.ts'
import type { Sql } from '../../store/sql.ts'
import { type Guess, guessesOf } from './_guesses.ts'
import { type IndexTables, notTruncated } from './_index-tables.ts'
import { respaced } from './_respacing.ts'
import { quoteTerm } from './_text-query.ts'
import { mayBeMistyped, type Vocabulary } from './_vocabulary.ts'

export interface CorrectionDeps {
  readonly sql: Sql
  readonly tables: IndexTables
  readonly vocabulary: Vocabulary
}

/** How a query was understood. */
export interface Understanding {
  /** With every guess, also for words that do occur. */
  readonly words: readonly QueryWord[]
  /** The words that documents can meet, as written where they occur. */
  readonly likely: readonly QueryWord[]
  /** False when nothing but the words as written came out. */
  readonly changed: boolean
}

/** Occurrences are counted up to here: beyond, words are equally usual. */
const maxCounted = 1000
/** A word in no more documents than this may itself be a slip. */
const rare = 2
/** How much more usual a word must be to stand in for a rare one that does occur. */
const muchMoreUsual = 10

/**
 * Finds what the words of a query that found nothing (or next to nothing) may have meant: other spellings of a word, one
 * word written as two or two as one.
 * @param nothing whether the query as written found nothing: then words that do occur may be slips too
 */
export async function understand(
  deps: CorrectionDeps,
  written: readonly QueryWord[],
  nothing: boolean,
): Promise<Understanding> {
  const words = nothing ? await respaced(deps.sql, deps.vocabulary, written) : written
  const guesses = await guessesFor(deps, words)
  const counts = await countTerms(deps, [
    ...words.map(asWritten),
    ...[...guesses.values()].flat().map(({ reading }) => reading),
  ])
  const read = words.map((word) => {
    const count = counts.get(keyOf(asWritten(word))) ?? 0
    const guessed = (guesses.get(word) ?? []).map((guess) => ({
      ...guess,
      count: counts.get(keyOf(guess.reading)) ?? 0,
    }))
    return { count, word: widened(word, count, guessed, nothing) }
  })
  return {
    words: read.map(({ word }) => word),
    likely: read.flatMap(({ word, count }) => {
      if (count > 0) return [{ ...word, readings: [asWritten(word)] }]
      return word.readings.some(({ quality }) => quality < 1) ? [word] : []
    }),
    changed: words !== written || read.some(({ word }, i) => word.readings !== words[i]?.readings),
  }
}

function widened(
  word: QueryWord,
  count: number,
  candidates: (Guess & { count: number })[],
  nothing: boolean,
): QueryWord {
  const usual = Math.max(...candidates.map((guess) => guess.count), 1)
  const occurring = candidates.filter((guess) =>
    nothing ? guess.count > 0 : count <= rare && guess.count >= Math.max(1, count) * muchMoreUsual,
  )
  const whole = occurring.filter(({ early }) => !early)
  const fit = whole.length > 0 ? whole : occurring
  const known = { ...word, weight: 1 / (1 + Math.log10(1 + Math.max(count, fit.length === 0 ? 0 : usual))) }
  if (fit.length === 0) return known
  const readings = fit.map(({ reading, count: found }) => ({
    ...reading,
    quality: reading.quality * (0.7 + (0.3 * Math.log(1 + found)) / Math.log(1 + usual)),
  }))
  readings.sort((a, b) => b.quality - a.quality)
  return { ...known, readings: [...(count > 0 ? word.readings : []), ...readings] }
}

async function guessesFor(
  { sql, vocabulary }: CorrectionDeps,
  words: readonly QueryWord[],
): Promise<Map<QueryWord, Guess[]>> {
  const doubtful = words.filter(({ text }) => mayBeMistyped(text))
  if (doubtful.length === 0) return new Map()
  const near = await vocabulary.near(
    sql,
    doubtful.map(({ text }) => text),
  )
  return new Map(doubtful.map((word) => [word, guessesOf(word, near.get(word.text) ?? [])]))
}

/** In how many documents each occurs, up to `maxCounted`. */
async function countTerms({ sql, tables }: CorrectionDeps, readings: readonly Reading[]): Promise<Map<string, number>> {
  const keys = [...new Set(readings.map(keyOf))]
  if (keys.length === 0) return new Map()
  const counted = `select from ${tables.documents} where ${notTruncated('$1')}`
  const one = (_: string, i: number): string =>
    `(select count(*)::integer from (${counted} and terms @@ $${i + 2}::tsquery limit ${maxCounted}) t)`
  const [row] = await sql.query<{ counts: number[] }>(`select array[${keys.map(one).join(', ')}] as counts`, [
    tables.index,
    ...keys,
  ])
  return new Map(keys.map((key, i) => [key, row?.counts[i] ?? 0]))
}

function keyOf({ term, prefix }: Reading): string {
  return prefix ? `${quoteTerm(term)}:*` : quoteTerm(term)
}

function asWritten({ text, unfinished }: QueryWord): Reading {
  return { term: text, prefix: unfinished, quality: 1 }
}
