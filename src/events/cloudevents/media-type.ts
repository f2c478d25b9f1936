/** A media type without its parameters, in lower case: `application/json`. */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** `utf-8` of `application/json; charset="UTF-8"`. */
export function charsetOf(mediaType: string): string | undefined {
  return /;\s*charset\s*=\s*"?([\w.:-]+)"?/i.exec(mediaType)?.[1]?.toLowerCase()
}

/** Data without a type is JSON (CloudEvents 1.0.2, `datacontenttype`). */
export function isJson(mediaType: string | undefined): boolean {
  return mediaType === undefined || /^[^/]+\/(?:[^/]+\+)?json$/.test(essenceOf(mediaType))
}

export function isText(mediaType: string): boolean {
  return /^text\/|^application\/xml$|\+xml$/.test(essenceOf(mediaType)) || charsetOf(mediaType) !== undefined
}
