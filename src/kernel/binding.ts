import { AsyncLocalStorage } from 'node:async_hooks'
import { PlatformError } from './errors.ts'

/**
 * Ties a declaration (a value an app exports, such as a cache) to the running parts behind it. One declaration may run
 * in several platforms of one process (tests do that): code called by a platform finds that platform's part; other
 * code finds the only one there is, or gets APP_AMBIGUOUS.
 */
export class Binding<T> {
  readonly #what: string
  readonly #parts = new Map<object, T>()
  /** Set while exactly one platform runs: the hot path then costs one comparison. */
  #only: T | undefined

  constructor(what: string) {
    this.#what = what
  }

  bind(platform: object, part: T): void {
    this.#parts.set(platform, part)
    this.#refresh()
  }

  unbind(platform: object): void {
    this.#parts.delete(platform)
    this.#refresh()
  }

  get current(): T {
    if (this.#only !== undefined) return this.#only
    return this.#choose()
  }

  #choose(): T {
    const platform = currentPlatform.getStore()
    const part = platform === undefined ? undefined : this.#parts.get(platform)
    if (part !== undefined) return part
    if (this.#parts.size === 0)
      throw new PlatformError('APP_NOT_RUNNING', `${this.#what} was used while its app does not run`)
    throw new PlatformError('APP_AMBIGUOUS', `${this.#what} was used outside the apps that run it`)
  }

  #refresh(): void {
    const [only] = this.#parts.values()
    this.#only = this.#parts.size === 1 ? only : undefined
  }
}

/** The platform whose code is running now; set around handlers. */
export const currentPlatform: AsyncLocalStorage<object> = new AsyncLocalStorage<object>()
