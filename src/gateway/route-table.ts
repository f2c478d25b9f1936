import { PlatformError } from '../kernel/errors.ts'
import { pathMatcher, patternShape } from './pattern.ts'
import type { Route } from './route.ts'

/** Every path the gateway answers, to refuse doubles and to tell 405 from 404. */
export class RouteTable {
  readonly #shapes = new Map<string, string>()
  readonly #paths: { matcher: RegExp; method: string }[] = []

  /** Adds a path; throws NAME_TAKEN when no request could tell it from another. */
  add(method: string, path: string): void {
    const shape = patternShape(method, path)
    const name = `${method} ${path}`
    const taken = this.#shapes.get(shape)
    if (taken !== undefined) {
      throw new PlatformError('NAME_TAKEN', `route "${name}" answers the same requests as "${taken}"`, {
        hint: 'Remove one of the two, or change its path.',
      })
    }
    this.#shapes.set(shape, name)
    this.#paths.push({ matcher: pathMatcher(path), method })
  }

  addRoutes(routes: readonly Route[]): void {
    for (const { method, path } of routes) {
      if (path === '/_' || path.startsWith('/_/')) {
        throw new PlatformError('NAME_TAKEN', `route "${method} ${path}" lies below /_/, which is the console's`, {
          hint: 'Change the path of the route.',
        })
      }
      this.add(method, path)
    }
  }

  /** The methods that a concrete path knows, for the `allow` header; none when nothing is there. */
  methodsOf(path: string): string[] {
    const known = this.#paths.filter(({ matcher }) => matcher.test(path)).map(({ method }) => method)
    if (known.length === 0) return []
    return [...new Set([...known, ...(known.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])]
  }
}
