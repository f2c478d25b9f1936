import { type QueryWord, writtenWord } from '../../search/relevance.ts'
import type { Sql } from '../../store/sql.ts'
import type { Vocabulary } from './_vocabulary.ts'

/**
 * Words joined (`god father`) or parted (`starwars`) where only that makes them words of the index. Returns the same
 * list when there is nothing to change.
 */
export async function respaced(
  sql: Sql,
  vocabulary: Vocabulary,
  words: readonly QueryWord[],
): Promise<readonly QueryWord[]> {
  const texts = words.map(({ text }) => text)
  const pairs = texts.slice(1).map((text, i) => `${texts[i]}${text}`)
  const stored = await vocabulary.stored(sql, [...texts, ...pairs, ...texts.flatMap(splits).flat()])
  const out: QueryWord[] = []
  let rest = words
  for (let [word, next] = rest; word !== undefined; [word, next] = rest) {
    const joined = next === undefined ? undefined : joinedWord(word, next, stored)
    out.push(...(joined === undefined ? parted(word, stored) : [joined]))
    rest = rest.slice(joined === undefined ? 1 : 2)
  }
  return out.length === words.length ? words : out
}

function joinedWord(word: QueryWord, next: QueryWord, stored: ReadonlySet<string>): QueryWord | undefined {
  const text = `${word.text}${next.text}`
  if (!stored.has(text) || (stored.has(word.text) && stored.has(next.text))) return undefined
  return writtenWord(text, next.unfinished)
}

function parted(word: QueryWord, stored: ReadonlySet<string>): QueryWord[] {
  if (stored.has(word.text)) return [word]
  const parts = splits(word.text).find((pair) => pair.every((part) => stored.has(part)))
  return parts === undefined ? [word] : parts.map((part) => writtenWord(part, false))
}

/** Ways to cut a word in two, the most even first: short pieces are words by chance. */
function splits(text: string): [string, string][] {
  if (text.length < 6 || text.length > 32) return []
  const cuts = Array.from({ length: text.length - 5 }, (_, i) => i + 3)
  cuts.sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))
  return cuts.map((cut) => [text.slice(0, cut), text.slice(cut)])
}
