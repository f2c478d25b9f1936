import { type FieldText, type QueryWord, quality } from './relevance.ts'

/** Longer texts are shown around their first match. */
const maxLength = 240
const lead = 60

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Marks what matched, field by field; fields without a match are left out. The result is safe as HTML content: all text
 * is escaped and only `<mark>` is added.
 */
export function highlights(words: readonly QueryWord[], fields: readonly FieldText[]): Record<string, string> {
  const out: Record<string, string> = {}
  for (const field of fields) {
    const spans = matchedSpans(words, field)
    if (spans.length === 0) continue
    const marked = markSpans(field.text, spans)
    // Several values of one field, such as tags: each that matched.
    const before = out[field.field]
    out[field.field] = before === undefined ? marked : `${before}, ${marked}`
  }
  return out
}

type Span = readonly [start: number, end: number]

function matchedSpans(words: readonly QueryWord[], { tokens }: FieldText): Span[] {
  const found = tokens
    .filter(({ term }) => words.some((word) => quality(word, term) > 0))
    .sort((a, b) => a.start - b.start || b.end - a.end)
  const spans: Span[] = []
  for (const { start, end } of found) {
    // A compound and its parts, or two readings of one word, are marked once.
    if (start >= (spans.at(-1)?.[1] ?? 0)) spans.push([start, end])
  }
  return spans
}

function markSpans(text: string, spans: readonly Span[]): string {
  const [from, to] = excerpt(text, spans[0] ?? [0, 0])
  let out = from > 0 ? '…' : ''
  let at = from
  for (const [start, end] of spans) {
    if (start < from || end > to) continue
    out += `${escapeHtml(text.slice(at, start))}<mark>${escapeHtml(text.slice(start, end))}</mark>`
    at = end
  }
  return `${out}${escapeHtml(text.slice(at, to))}${to < text.length ? '…' : ''}`
}

/** Cut at spaces where there are some near. */
function excerpt(text: string, first: Span): Span {
  if (text.length <= maxLength) return [0, text.length]
  const rough = Math.max(0, first[0] - lead)
  const space = rough === 0 ? -1 : text.indexOf(' ', rough)
  const from = rough === 0 ? 0 : space !== -1 && space < first[0] ? space + 1 : rough
  const end = Math.min(text.length, Math.max(from + maxLength, first[1]))
  const cut = end === text.length ? end : text.lastIndexOf(' ', end)
  return [from, cut > first[1] ? cut : end]
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
