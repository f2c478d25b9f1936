/**
 * How Postgres text becomes a JSON value, in one place: query results and captured changes read the same.
 * Numbers become numbers where that is exact; bigints beyond 2^53 and numerics stay text; moments become ISO 8601.
 */
export function parseColumnText(typeOid: number): (text: string) => unknown {
  return parsers.get(typeOid) ?? keep
}

const keep = (text: string): unknown => text
const integer = (text: string): unknown => Number(text)
const bigint = (text: string): unknown => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
// JSON has no NaN or Infinity: they stay text.
const float = (text: string): unknown => {
  const value = Number(text)
  return Number.isFinite(value) ? value : text
}
const json = (text: string): unknown => JSON.parse(text) as unknown
const localMoment = (text: string): unknown => (/^\d{4,}-/.test(text) ? text.replace(' ', 'T') : text)
const moment = (text: string): unknown => {
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)(?::?(\d\d))?$/.exec(text)
  if (match === null) return text // infinity, BC
  const offset = match[3] === '+00' && match[4] === undefined ? 'Z' : `${match[3]}:${match[4] ?? '00'}`
  return `${match[1]}T${match[2]}${offset}`
}

const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  [20, bigint],
  [21, integer],
  [23, integer],
  [26, integer],
  [114, json],
  [700, float],
  [701, float],
  [1114, localMoment],
  [1184, moment],
  [3802, json],
  [199, (text) => parseArray(text, json)],
  [3807, (text) => parseArray(text, json)],
  [1000, (text) => parseArray(text, (item) => item === 't')],
  [1005, (text) => parseArray(text, integer)],
  [1007, (text) => parseArray(text, integer)],
  [1016, (text) => parseArray(text, bigint)],
  [1009, (text) => parseArray(text, keep)],
  [1015, (text) => parseArray(text, keep)],
  [1021, (text) => parseArray(text, float)],
  [1022, (text) => parseArray(text, float)],
  [1014, (text) => parseArray(text, keep)],
  [1115, (text) => parseArray(text, localMoment)],
  [1182, (text) => parseArray(text, keep)],
  [1185, (text) => parseArray(text, moment)],
  [1231, (text) => parseArray(text, keep)],
  [2951, (text) => parseArray(text, keep)],
])

/** Parses the text form of a Postgres array (PostgreSQL manual, 8.15.6), nested ones included. */
export function parseArray(text: string, item: (text: string) => unknown): unknown[] {
  let at = text.indexOf('{') + 1
  const readList = (): unknown[] => {
    const list: unknown[] = []
    while (at < text.length && text[at] !== '}') {
      list.push(readItem())
      if (text[at] === ',') at += 1
    }
    at += 1
    return list
  }
  const readItem = (): unknown => {
    if (text[at] === '{') {
      at += 1
      return readList()
    }
    if (text[at] === '"') return item(readQuoted())
    const start = at
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1
    const bare = text.slice(start, at)
    return bare === 'NULL' ? null : item(bare)
  }
  const readQuoted = (): string => {
    let out = ''
    for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1
      out += text[at]
    }
    at += 1
    return out
  }
  return readList()
}
