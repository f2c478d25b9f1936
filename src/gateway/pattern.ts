import { PlatformError } from '../kernel/errors.ts'

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof methods)[number]

/** A method and a path, such as `'GET /films/:id'`. A parameter is a whole segment. */
export type Pattern = `${Method} /${string}`

type Segment<P extends string> = P extends `${infer Head}/${infer Rest}` ? Head | Segment<Rest> : P

/** The names of the path parameters of a pattern: `'id'` of `'GET /films/:id'`. */
export type PathParameter<P extends string> =
  Segment<P> extends infer S ? (S extends `:${infer Name}` ? Name : never) : never

export interface ParsedPattern {
  readonly method: Method
  /** The path as written: `/films/:id`. */
  readonly path: string
  readonly parameters: readonly string[]
}

const segmentPattern = /^(?:[\w.~@-]+|:[A-Za-z_]\w*)$/

/** Splits a pattern, or throws ROUTE_INVALID. */
export function parsePattern(pattern: string): ParsedPattern {
  const [method, path, ...rest] = pattern.split(' ')
  if (!isMethod(method)) throw invalid(pattern, `has no method of ${methods.join(', ')}`)
  if (path === undefined || !path.startsWith('/') || rest.length > 0) throw invalid(pattern, 'has no path')
  const segments = path === '/' ? [] : path.slice(1).split('/')
  const wrong = segments.find((segment) => !segmentPattern.test(segment))
  if (wrong !== undefined)
    throw invalid(pattern, `has a segment "${wrong}" that is neither plain text nor a :parameter`)
  const parameters = segments.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1))
  const twice = parameters.find((name, i) => parameters.indexOf(name) !== i)
  if (twice !== undefined) throw invalid(pattern, `names the parameter "${twice}" twice`)
  return { method, path, parameters }
}

/** Matches the concrete paths of a pattern's path; slow, for errors only. */
export function pathMatcher(path: string): RegExp {
  const source = path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/')
  return new RegExp(`^${source}$`)
}

/** The same for patterns that no request can tell apart. */
export function patternShape(method: string, path: string): string {
  return `${method} ${path.replace(/:\w+/g, ':')}`
}

function isMethod(text: string | undefined): text is Method {
  return methods.some((method) => method === text)
}

function invalid(pattern: string, problem: string): PlatformError {
  return new PlatformError('ROUTE_INVALID', `route "${pattern}" ${problem}`)
}
