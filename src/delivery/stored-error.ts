import { type ErrorRecord, errorRecord } from '../kernel/errors.ts'

const mostFrames = 8
const longestMessage = 4000

/** What is stored of an error: code, message and the first lines of its stack, without secrets. */
export function storedError(error: unknown): ErrorRecord {
  const { code, message } = errorRecord(error)
  const stack = stackOf(error)
  const record = { code, message: withoutSecrets(message).slice(0, longestMessage) }
  return storable(stack === '' ? record : { ...record, stack: withoutSecrets(stack) })
}

/** The frames, then what caused it: the message itself stands elsewhere. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const causes: string[] = []
  for (let cause = error.cause, depth = 0; cause !== undefined && depth < 3; depth += 1) {
    const { code, message } = errorRecord(cause)
    causes.push(`caused by ${code}: ${message.slice(0, 500)}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return [...frames.slice(0, mostFrames).map((line) => line.trim()), ...causes].join('\n')
}

/** Takes out what looks like a secret: messages of libraries repeat what they were given. */
export function withoutSecrets(text: string): string {
  return secrets.reduce((out, [pattern, replacement]) => out.replace(pattern, replacement), text)
}

const secrets: readonly (readonly [RegExp, string])[] = [
  [/(\w+:\/\/[^\s:/@]*):[^\s@/]*@/g, '$1:***@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 ***'],
  [
    /((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_ ]?key|access[-_]?key|private[-_]?key|authorization|cookie|credentials?)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|(?!(?:bearer|basic) \*)[^\s,;&"')}\]]+)/gi,
    '$1***',
  ],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '***'],
  [/\b(?:sk|pk|rk)_(?:live|test)_\w+|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abpr]-[\w-]+/g, '***'],
]

/** Postgres stores no U+0000, and no half of a surrogate pair in jsonb. */
function storable(record: ErrorRecord): ErrorRecord {
  const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').replace(/\p{Cs}/gu, '\uFFFD')
  const { code, message, stack } = record
  return { code: clean(code), message: clean(message), ...(stack === undefined ? {} : { stack: clean(stack) }) }
}
