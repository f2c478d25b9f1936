/** Plain `?type=order.*&key=42`: values stay text, as a person would type them, and empty ones leave the address. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text))
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    if (value !== undefined && value !== '') params.set(key, String(value))
  }
  // Readable where the rules for queries allow it (RFC 3986, section 3.4).
  const query = params.toString().replaceAll('%2A', '*').replaceAll('%3A', ':')
  return query === '' ? '' : `?${query}`
}

/** The text under a name, when there is some. */
export function textOf(search: Record<string, unknown>, name: string): string | undefined {
  const value = search[name]
  return value === undefined || value === '' ? undefined : String(value)
}

/** A position of the log in the address, when it is one. */
export function positionOf(search: Record<string, unknown>, name: string): number | undefined {
  const value = Number(search[name])
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}
