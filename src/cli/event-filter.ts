import type { EventFilter } from '../admin/contract.ts'
import { UsageError } from './usage-error.ts'

export type TailFilter = Pick<EventFilter, 'type' | 'key' | 'text'>

/**
 * Reads `type:order.* key:7 some text`; words beside the fields are looked for in the data, in this order. Quotes keep
 * blanks and colons: `key:"a b"`, `"http://x"`.
 */
export function parseFilter(given: string): TailFilter {
  const filter: TailFilter = {}
  const words: string[] = []
  for (const [, field, quoted, bare] of given.matchAll(/(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g)) {
    const value = quoted ?? bare ?? ''
    if (field === undefined) words.push(value)
    else if (field === 'type' || field === 'key' || field === 'text') filter[field] = value
    else
      throw new UsageError(
        `the filter has an unknown field "${field}"`,
        'Use type:, key: and text; quote a text with a colon.',
      )
  }
  if (words.length > 0) filter.text = words.join(' ')
  return filter
}
