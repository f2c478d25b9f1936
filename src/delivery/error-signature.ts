import { createHash } from 'node:crypto'
import type { ErrorRecord } from '../kernel/errors.ts'

/** What failed alike: a short text for the code of a consumer, a type of event and an error without what differs. */
export function errorSignature(consumer: string, type: string, { code, message }: ErrorRecord): string {
  const parts = [consumer, type, code, commonMessage(message)]
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12)
}

/** Only so much of a message tells errors apart. */
const longest = 300

/** A message with `‹id›`, `‹time›`, `‹text›` and `‹n›` in place of what differs from one failure to the next. */
export function commonMessage(message: string): string {
  const common = differing.reduce((text, [pattern, name]) => text.replace(pattern, name), message.slice(0, longest * 4))
  return common.replace(/\s+/g, ' ').trim().slice(0, longest)
}

/** In this order: what stands in quotes may hold any of the others. */
const differing: readonly (readonly [RegExp, string])[] = [
  [/(?<![\p{L}\p{N}])(["'`])(?:(?!\1)[^\n])*\1(?![\p{L}\p{N}])/gu, '‹text›'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '‹id›'],
  [/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2}|\b)/g, '‹time›'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '‹id›'],
  [/-?\d+(?:[.,]\d+)*/g, '‹n›'],
]
