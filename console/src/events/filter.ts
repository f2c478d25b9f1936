import type { EventsSearch } from '../router.tsx'

type Filter = Pick<EventsSearch, 'type' | 'key' | 'text'>

/** Reads `type:order.* key:42 some text`; values with spaces stand in quotation marks. */
export function parseFilter(input: string): Filter {
  const filter: Filter = {}
  const words: string[] = []
  for (const token of input.match(/(?:[^\s"]+:)?"[^"]*"?|\S+/g) ?? []) {
    const [, name, value] = /^(type|key|text):(.*)$/.exec(token) ?? []
    if (value === undefined || name === undefined) words.push(unquote(token))
    else if (value !== '') filter[name as keyof Filter] = unquote(value)
  }
  const text = words.join(' ').trim()
  return text === '' ? filter : { ...filter, text }
}

/** The line that `parseFilter` reads. */
export function formatFilter({ type, key, text }: Filter): string {
  const parts = []
  if (type) parts.push(`type:${quote(type)}`)
  if (key) parts.push(`key:${quote(key)}`)
  if (text) parts.push(/^\w+:|"/.test(text) ? `text:${quote(text)}` : text)
  return parts.join(' ')
}

function quote(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.replace(/^"|"$/g, '') : value
}
