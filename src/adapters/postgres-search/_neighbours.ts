/**
 * Deletion neighbours (Garbe's SymSpell): two words are at most `n` edits apart only if some deletion of up to `n`
 * letters makes them equal. So a mistyped word is found by looking up its own deletions among those of all words, without
 * comparing it to each. Only the beginning of a word counts, which bounds their number to 29.
 */
const beginning = 7

/** How many edits a word of this length may be away from what was meant. */
export function editsAllowed(length: number): number {
  if (length < 4) return 0
  return length < 8 ? 1 : 2
}

/** The neighbours of a word as 32-bit numbers; what they have in common is checked letter by letter later. */
export function neighbours(term: string): number[] {
  let ring = new Set([term.slice(0, beginning)])
  const all = new Set(ring)
  for (let edits = editsAllowed(term.length); edits > 0; edits -= 1) {
    const next = new Set<string>()
    for (const word of ring) {
      for (let i = 0; i < word.length; i += 1) next.add(word.slice(0, i) + word.slice(i + 1))
    }
    for (const word of next) all.add(word)
    ring = next
  }
  return Array.from(new Set(Array.from(all, hash)))
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo), signed as Postgres has it. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value | 0
}
