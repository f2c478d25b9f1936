import { PlatformError } from '../kernel/errors.ts'
import type { LogRecord } from './record.ts'

export type Scalar = string | number | boolean | null

/** What a value is compared with: numbers by size, texts by their code points, moments as ISO 8601 text. */
export interface Comparison<V extends Scalar = Scalar> {
  gt?: Extract<V, string | number>
  gte?: Extract<V, string | number>
  lt?: Extract<V, string | number>
  lte?: Extract<V, string | number>
  /** One of these. */
  in?: readonly V[]
  /** Whether it is there at all; a `null` is there. */
  exists?: boolean
}

/** A value it must equal, several of which it must equal one, or comparisons that all must hold. */
export type Condition<V extends Scalar = Scalar> = V | readonly V[] | Comparison<V>

/** Dotted paths into data: `'total'`, `'customer.country'`, `'lines.0.sku'`. At most four steps are checked by type. */
export type PathOf<D, Depth extends 0[] = []> = Depth['length'] extends 4
  ? string
  : unknown extends D
    ? string
    : D extends Scalar | undefined
      ? never
      : D extends readonly (infer I)[]
        ? `${number}` | `${number}.${PathOf<I, [...Depth, 0]>}`
        : {
            [K in keyof D & string]: K | `${K}.${PathOf<NonNullable<D[K]>, [...Depth, 0]>}`
          }[keyof D & string]

type ValueAt<D, P extends string> = D extends readonly (infer I)[]
  ? P extends `${number}.${infer Rest}`
    ? ValueAt<NonNullable<I>, Rest>
    : I
  : unknown extends D
    ? Scalar
    : D extends object
      ? P extends keyof D
        ? D[P]
        : P extends `${infer Head}.${infer Rest}`
          ? Head extends keyof D
            ? ValueAt<NonNullable<D[Head]>, Rest>
            : never
          : never
      : never

/**
 * Which events are wanted, by what they carry. All parts must hold. Postgres evaluates it where the log is read from the
 * store; at the head it is evaluated in memory, with the same meaning.
 */
export interface Filter<D = unknown> {
  /** The ordering key. */
  key?: Condition<string | null>
  /** The CloudEvents attribute `source`. */
  source?: Condition<string>
  /** The CloudEvents attribute `subject`. */
  subject?: Condition<string>
  /** Values in the data, by dotted path. A field whose name has a dot cannot be named. */
  data?: { [P in PathOf<D>]?: Condition<Extract<ValueAt<D, P>, Scalar>> | Pick<Comparison, 'exists'> }
}

/** A filter that was checked. */
export interface CompiledFilter {
  test(record: Pick<LogRecord, 'key' | 'data' | 'meta'>): boolean
  /** As a condition on the row `e` of the log. Lets through more in odd cases, never less: `test` has the last word. */
  sql(parameter: (value: unknown) => string): string
}

type Place = { kind: 'key' } | { kind: 'meta'; name: string } | { kind: 'data'; path: readonly string[] }
type Size = 'gt' | 'gte' | 'lt' | 'lte'
type Check =
  | { kind: 'in'; values: readonly Scalar[] }
  | { kind: 'size'; by: Size; than: string | number }
  | { kind: 'exists'; exists: boolean }
interface Rule {
  place: Place
  checks: readonly Check[]
}

/** @throws OPTION_INVALID naming what is wrong; `where` says whose filter it is */
export function compileFilter(where: string, filter: Filter<never>): CompiledFilter {
  const rules = rulesOf(where, filter as Filter)
  const readsData = rules.some(({ place }) => place.kind === 'data')
  const readsMeta = rules.some(({ place }) => place.kind === 'meta')
  return {
    test(record) {
      const data: unknown = readsData ? JSON.parse(record.data) : undefined
      const meta: unknown = readsMeta && record.meta !== null ? JSON.parse(record.meta) : undefined
      return rules.every(({ place, checks }) => {
        const value = valueAt(place, record.key, data, meta)
        return checks.every((check) => holds(check, value))
      })
    },
    sql(parameter) {
      const conditions = rules.flatMap(({ place, checks }) => checks.map((check) => sqlOf(place, check, parameter)))
      const sure = conditions.length === 0 ? 'true' : conditions.join(' and ')
      const odd = [...(readsData ? ['e.data'] : []), ...(readsMeta ? [`coalesce(e.meta, '{}')`] : [])]
      return odd.length === 0
        ? `(${sure})`
        : `case when ${odd.map((column) => `${column}::text ~ '${oddText}'`).join(' or ')} then true else ${sure} end`
    },
  }
}

/**
 * JSON that Postgres may refuse to take apart or that JavaScript reads otherwise: escaped code units (U+0000, halves of
 * surrogate pairs) and numbers beyond a double. `test` alone judges those.
 */
const oddText = String.raw`\\u|[eE][+-]?[0-9]{3}|[0-9.]{255}`

function rulesOf(where: string, filter: Filter): Rule[] {
  const rules: Rule[] = []
  for (const [name, condition] of Object.entries(filter)) {
    if (condition === undefined) continue
    if (name === 'key') rules.push({ place: { kind: 'key' }, checks: checksOf(`${where}.key`, condition) })
    else if (name === 'source' || name === 'subject')
      rules.push({ place: { kind: 'meta', name }, checks: checksOf(`${where}.${name}`, condition) })
    else if (name === 'data')
      for (const [path, wanted] of Object.entries(condition)) {
        if (wanted === undefined) continue
        const at = `${where}.data["${path}"]`
        rules.push({ place: { kind: 'data', path: stepsOf(at, path) }, checks: checksOf(at, wanted) })
      }
    else
      throw new PlatformError('OPTION_UNKNOWN', `${where} has no part "${name}"`, {
        hint: 'Known: key, source, subject, data.',
      })
  }
  return rules
}

/** Postgres reads any integer as a place in an array, negative ones from its end; here only plain ones are. */
function stepsOf(where: string, path: string): string[] {
  const steps = path.split('.')
  const wrong = steps.find(
    (step) => step === '' || step.includes('\0') || (/^\s*[+-]?\d+/.test(step) && !isIndex(step)),
  )
  if (wrong !== undefined) throw new PlatformError('OPTION_INVALID', `${where}: "${wrong}" is no step of a path`)
  return steps
}

const isIndex = (step: string): boolean => /^(0|[1-9]\d{0,8})$/.test(step)
const sizes: readonly string[] = ['gt', 'gte', 'lt', 'lte']

function checksOf(where: string, condition: unknown): Check[] {
  if (isScalar(condition)) return [{ kind: 'in', values: [plain(where, condition)] }]
  if (Array.isArray(condition) && condition.length > 0)
    return [{ kind: 'in', values: condition.map((value) => plain(where, value)) }]
  if (typeof condition !== 'object' || condition === null || Array.isArray(condition)) throw refusal(where)
  return Object.entries(condition).flatMap(([name, value]: [string, unknown]): Check[] => {
    if (value === undefined) return []
    if (name === 'in' && Array.isArray(value) && value.length > 0)
      return [{ kind: 'in', values: value.map((one) => plain(where, one)) }]
    if (name === 'exists' && typeof value === 'boolean') return [{ kind: 'exists', exists: value }]
    if (sizes.includes(name) && (typeof value === 'number' || typeof value === 'string'))
      return [{ kind: 'size', by: name as Size, than: plain(where, value) as string | number }]
    throw refusal(`${where}.${name}`)
  })
}

function refusal(where: string): PlatformError {
  return new PlatformError('OPTION_INVALID', `${where} is no condition`, {
    hint: 'Give a value, a list of values, or { gt, gte, lt, lte, in, exists }.',
  })
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function plain(where: string, value: unknown): Scalar {
  const stored = typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'string' || !value.includes('\0')
  if (!isScalar(value) || !stored) throw refusal(where)
  return value
}

/** `undefined` where there is nothing. */
function valueAt(place: Place, key: string | null, data: unknown, meta: unknown): unknown {
  if (place.kind === 'key') return key
  if (place.kind === 'meta') return step(meta, place.name)
  return place.path.reduce(step, data)
}

function step(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  if (Array.isArray(value) && !isIndex(name)) return undefined
  return Reflect.get(value, name)
}

function holds(check: Check, value: unknown): boolean {
  if (check.kind === 'exists') return (value !== undefined) === check.exists
  if (check.kind === 'in') return isScalar(value) && check.values.includes(value)
  const order = compare(value, check.than)
  if (order === undefined) return false
  if (check.by === 'gt') return order > 0
  if (check.by === 'gte') return order >= 0
  return check.by === 'lt' ? order < 0 : order <= 0
}

function compare(value: unknown, than: string | number): number | undefined {
  if (typeof value === 'number' && typeof than === 'number') return value - than
  if (typeof value === 'string' && typeof than === 'string')
    return Buffer.compare(Buffer.from(value), Buffer.from(than))
  return undefined
}

const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function sqlOf(place: Place, check: Check, parameter: (value: unknown) => string): string {
  if (place.kind === 'key') return sqlOfText('e.key', check, parameter)
  const column = place.kind === 'meta' ? 'e.meta' : 'e.data'
  const path = `${parameter(place.kind === 'meta' ? [place.name] : place.path)}::text[]`
  return sqlOfJson(`(${column} #> ${path})`, `(${column} #>> ${path})`, check, parameter)
}

function sqlOfText(column: string, check: Check, parameter: (value: unknown) => string): string {
  // The key is always there, if only as null.
  if (check.kind === 'exists') return check.exists ? 'true' : 'false'
  if (check.kind === 'size')
    return typeof check.than === 'string'
      ? `coalesce(${column} collate "C" ${operators[check.by]} ${parameter(check.than)}::text, false)`
      : 'false'
  const texts = check.values.filter((value) => typeof value === 'string')
  const isNull = check.values.includes(null) ? ` or ${column} is null` : ''
  return `(coalesce(${column} = any(${parameter(texts)}::text[]), false)${isNull})`
}

function sqlOfJson(value: string, text: string, check: Check, parameter: (value: unknown) => string): string {
  const typed = (type: string, condition: string): string =>
    `coalesce(case when json_typeof${value} = '${type}' then ${condition} end, false)`
  if (check.kind === 'exists') return `${value} is ${check.exists ? 'not ' : ''}null`
  if (check.kind === 'size') {
    const operator = operators[check.by]
    return typeof check.than === 'number'
      ? typed('number', `${text}::float8 ${operator} ${parameter(check.than)}::float8`)
      : typed('string', `${text} collate "C" ${operator} ${parameter(check.than)}::text`)
  }
  const of = (type: string): Scalar[] => check.values.filter((scalar) => typeof scalar === type)
  const either = [
    ...(of('string').length > 0 ? [typed('string', `${text} = any(${parameter(of('string'))}::text[])`)] : []),
    ...(of('number').length > 0
      ? [typed('number', `${text}::float8 = any(${parameter(of('number'))}::float8[])`)]
      : []),
    ...(of('boolean').length > 0
      ? [typed('boolean', `${text} = any(${parameter(of('boolean').map(String))}::text[])`)]
      : []),
    ...(check.values.includes(null) ? [typed('null', 'true')] : []),
  ]
  return `(${either.join(' or ')})`
}
