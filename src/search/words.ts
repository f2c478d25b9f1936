/** A word of a text: how it is searched, and where it stands. */
export interface Token {
  /** Folded: lower case, without accents. */
  readonly term: string
  /** Counted from 0 in words. Two readings of one word (`schindlers`, `schindler`) share a position. */
  readonly position: number
  /** Offsets in the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
}

/** Longer words are cut: nobody types them, and Postgres bounds a lexeme. */
const maxTermLength = 64
const maxCompoundParts = 6

const word = '[\\p{L}\\p{N}\\p{M}]+'
const apostrophes = /['\u2019\u02bc]/
const compounds = new RegExp(`${word}(?:['\u2019\u02bc.\\-\u2010\u2011*&]${word})*`, 'gu')
const pieces = new RegExp(`${word}(?:['\u2019\u02bc]${word})*`, 'gu')
const parts = new RegExp(word, 'gu')
/** Scripts written without spaces: each character is a word of its own. */
const spaceless = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u

/**
 * The words of a text to index. A compound is found by its parts and as one word: `Spider-Man` is `spider`, `man` and
 * `spiderman`; `Schindler's` is `schindlers` and `schindler`.
 */
export function tokens(text: string): Token[] {
  const out: Token[] = []
  let position = 0
  for (const [compound, at] of matches(compounds, text)) {
    const first = position
    const found = matches(pieces, compound)
    for (const [piece, offset] of found) position = pushPiece(out, piece, at + offset, position)
    if (found.length > 1 && found.length <= maxCompoundParts) {
      const joined = termOf(compound.replace(/[^\p{L}\p{N}\p{M}]+/gu, ''))
      out.push({ term: joined, position: first, start: at, end: at + compound.length })
    }
  }
  return out
}

/** The words of a query, in order: each must be met once, so compounds stay in parts. At most `limit`. */
export function queryTerms(query: string, limit: number): string[] {
  const out: string[] = []
  for (const [piece] of matches(pieces, query)) {
    if (out.length >= limit) break
    if (spaceless.test(piece)) out.push(...Array.from(piece, termOf))
    else out.push(termOf(piece.replace(/['\u2019\u02bc]/g, '')))
  }
  return out.filter((term) => term !== '').slice(0, limit)
}

/** Returns the position of the next piece. */
function pushPiece(out: Token[], piece: string, start: number, position: number): number {
  if (spaceless.test(piece)) return pushCharacters(out, piece, start, position)
  const end = start + piece.length
  if (!apostrophes.test(piece)) {
    const term = termOf(piece)
    if (term === '') return position
    out.push({ term, position, start, end })
    return position + 1
  }
  out.push({ term: termOf(piece.replace(/['\u2019\u02bc]/g, '')), position, start, end })
  for (const [part] of matches(parts, piece)) {
    // The s of a genitive and the l of an article are no words.
    if (part.length >= 3) out.push({ term: termOf(part), position, start, end })
  }
  return position + 1
}

function pushCharacters(out: Token[], piece: string, start: number, position: number): number {
  let offset = 0
  let next = position
  for (const character of piece) {
    const end = offset + character.length
    out.push({ term: termOf(character), position: next, start: start + offset, end: start + end })
    offset = end
    next += 1
  }
  return next
}

function matches(pattern: RegExp, text: string): [string, number][] {
  const out: [string, number][] = []
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) out.push([match[0], match.index])
  return out
}

function termOf(text: string): string {
  const folded = fold(text)
  return folded.length <= maxTermLength ? folded : folded.slice(0, maxTermLength)
}

/** Letters that Unicode does not take apart, though readers do. */
const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
}

/** Lower case, compatibility forms resolved (Unicode NFKD), Latin, Greek and Cyrillic accents dropped. */
export function fold(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant; it needs no folding
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase()
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => letters[letter] ?? letter)
}

/** The texts of a field: one for a value, one for each item of a list; other objects by their values. */
export function textsOf(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)]
  if (typeof value !== 'object' || value === null || depth > 3) return []
  return Object.values(value).flatMap((item) => textsOf(item, depth + 1))
}
