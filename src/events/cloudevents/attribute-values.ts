/** The types of CloudEvents attributes (CloudEvents 1.0.2, section "Type System"). */

const dateTime =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** RFC 3339, `date-time`. */
export function isTimestamp(text: string): boolean {
  const [, year, month, day] = dateTime.exec(text) ?? []
  if (year === undefined) return false
  const days = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate()
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= days
}

const uriCharacters = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[\dA-Fa-f]{2})*$/

/** RFC 3986, section 4.1. */
export function isUriReference(text: string): boolean {
  const [, , scheme] = /^(([^:/?#]+):)?/.exec(text) ?? []
  return uriCharacters.test(text) && text.split('#').length <= 2 && (scheme === undefined || isScheme(scheme))
}

/** RFC 3986, section 3: with a scheme. */
export function isUri(text: string): boolean {
  return isUriReference(text) && /^[^:/?#]+:/.test(text)
}

const isScheme = (text: string): boolean => /^[A-Za-z][A-Za-z\d+.-]*$/.test(text)

const token = "[\\w!#$%&'*+.^`|~-]+"
const mediaType = new RegExp(
  `^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))*[ \\t]*;?$`,
)

/** RFC 2046, with parameters. */
export function isMediaType(text: string): boolean {
  return mediaType.test(text)
}

/** The first character that no attribute may have, as `U+0000`: controls, halves of surrogate pairs, noncharacters. */
export function unusableCharacter(text: string): string | undefined {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const isControl = code <= 0x1f || (code >= 0x7f && code <= 0x9f)
    const isHalf = code >= 0xd800 && code <= 0xdfff
    const isNone = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
    if (isControl || isHalf || isNone) return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  }
  return undefined
}
