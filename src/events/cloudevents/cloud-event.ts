import { type Issue, PlatformError } from '../../kernel/errors.ts'
import { isMediaType, isTimestamp, isUri, isUriReference, unusableCharacter } from './attribute-values.ts'

/**
 * A CloudEvent 1.0 as its JSON format has it: context attributes beside each other, extensions among them (text, whole
 * numbers of 32 bits, booleans). `JSON.stringify` of it is the structured form.
 */
export interface CloudEvent {
  readonly specversion: '1.0'
  /** Unique within `source`. */
  readonly id: string
  /** URI reference of where it happened. */
  readonly source: string
  readonly type: string
  /** Media type of the data. @default 'application/json' */
  readonly datacontenttype?: string
  /** URI of the schema of the data. */
  readonly dataschema?: string
  readonly subject?: string
  /** RFC 3339. */
  readonly time?: string
  /** A JSON value, or text where `datacontenttype` says so. */
  readonly data?: unknown
  /** Bytes as Base64, in place of `data`. */
  readonly data_base64?: string
  readonly [extension: string]: unknown
}

/**
 * A CloudEvent out of anything: attributes that are null are left out (JSON format 1.0.2, section 2.2).
 * @param at where it stands, as a JSON Pointer: `/0` in a batch
 * @throws INPUT_INVALID naming each wrong attribute
 */
export function checkCloudEvent(value: unknown, at = ''): CloudEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused([{ path: at, message: 'must be an object' }])
  const entries = Object.entries(value).filter(
    ([name, given]) => name === 'data' || (given !== null && given !== undefined),
  )
  const given = new Map<string, unknown>(entries)
  const issues = [
    ...required.filter((name) => !given.has(name)).map((name) => ({ path: name, message: 'is missing' })),
    ...entries.flatMap(([name, attribute]) => issuesOf(name, attribute)),
    ...(given.has('data') && given.has('data_base64')
      ? [{ path: 'data_base64', message: 'must not stand beside data' }]
      : []),
  ]
  if (issues.length > 0) throw refused(issues.map(({ path, message }) => ({ path: `${at}/${pointer(path)}`, message })))
  return Object.fromEntries(entries) as CloudEvent
}

const required = ['specversion', 'id', 'source', 'type']

function issuesOf(name: string, value: unknown): Issue[] {
  const message = problemWith(name, value)
  return message === undefined ? [] : [{ path: name, message }]
}

type Rule = (text: string) => string | undefined

const rules: Readonly<Record<string, Rule>> = {
  specversion: (text) => (text === '1.0' ? undefined : 'must be 1.0'),
  id: () => undefined,
  source: (text) => (isUriReference(text) ? undefined : 'must be a URI reference (RFC 3986)'),
  type: () => undefined,
  datacontenttype: (text) => (isMediaType(text) ? undefined : 'must be a media type such as application/json'),
  dataschema: (text) => (isUri(text) ? undefined : 'must be a URI with its scheme (RFC 3986)'),
  subject: () => undefined,
  time: (text) => (isTimestamp(text) ? undefined : 'must be a time with its offset, 2026-01-31T12:00:00Z (RFC 3339)'),
}

function problemWith(name: string, value: unknown): string | undefined {
  if (name === 'data') return undefined
  if (name === 'data_base64') return isBase64(value) ? undefined : 'must be Base64 text'
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined) return problemWithExtension(name, value)
  if (typeof value !== 'string') return 'must be text'
  if (value === '') return 'must not be empty'
  return problemWithText(value) ?? rule(value)
}

function problemWithExtension(name: string, value: unknown): string | undefined {
  if (!/^[a-z0-9]+$/.test(name)) return 'has a name with other than lower-case letters and digits'
  if (typeof value === 'boolean') return undefined
  if (typeof value === 'number')
    return Number.isInteger(value) && value === (value | 0) ? undefined : 'must be a whole number of 32 bits'
  return typeof value === 'string' ? problemWithText(value) : 'must be text, a whole number or a boolean'
}

function problemWithText(text: string): string | undefined {
  const found = unusableCharacter(text)
  return found === undefined ? undefined : `has the character ${found}, which no attribute may have`
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)
}

function refused(issues: readonly Issue[]): PlatformError {
  const text = issues.slice(0, 3).map(({ path, message }) => `${path === '' ? 'it' : path} ${message}`)
  const more = issues.length > 3 ? ` and ${issues.length - 3} more` : ''
  return new PlatformError('INPUT_INVALID', `no CloudEvent 1.0: ${text.join('; ')}${more}`, { issues })
}

function pointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}
