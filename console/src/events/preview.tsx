import { memo } from 'react'

/**
 * The start of some JSON in one line, without the marks that only parsers need: `order o-17  film 2  total 999`. The text
 * may be cut anywhere, so it is read word by word and never parsed.
 */
export const Preview = memo(function Preview({ text }: { text: string }) {
  return (
    <span className="mono truncate text-ink">
      {pieces(text).map(({ at, text: piece, name }) => (
        <span key={at} className={name ? 'text-ink-3' : ''}>
          {piece}{' '}
        </span>
      ))}
    </span>
  )
})

interface Piece {
  at: number
  text: string
  name: boolean
}

// The list names table and key of a change in columns of their own; the row before it stands in the detail.
const told = /"(?:table|key)":"(?:[^"\\]|\\.)*",|"op":|"row":(?=\{)/g

function pieces(text: string): Piece[] {
  const whole = text.replace(/…$/, '')
  const body = whole.startsWith('{"op":') ? whole.replace(told, '').replace(/\},"(?:b.*)?$|\},?$/, '') : whole
  const found: Piece[] = []
  for (const match of body.matchAll(/"((?:[^"\\]|\\.)*)"?(\s*:)?|[^",{}\s:]+/g)) {
    const [whole, quoted, colon] = match
    if (whole === '"') continue
    const shown = quoted === undefined ? whole : quoted === '' ? '""' : quoted
    found.push({ at: match.index, text: shown, name: colon !== undefined })
  }
  return found
}
