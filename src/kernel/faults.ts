import { PlatformError } from './errors.ts'

/** What happens at a named point: return to go on, throw to fail, or never settle to hang. */
export type Fault = () => void | Promise<void>

/**
 * Named points where tests (and later the fault desk) can break things. A point costs one property read while nothing
 * is armed. Points are named `folder.what-has-just-happened`.
 */
export class Faults {
  #armed: Map<string, Fault> | undefined

  /** Awaited at the point `name`. */
  async at(name: string): Promise<void> {
    if (this.#armed === undefined) return
    await this.#armed.get(name)?.()
  }

  /** Arms `name` until the returned function is called. Without `fault` the point throws FAULT_INJECTED. */
  arm(name: string, fault: Fault = () => fail(name)): () => void {
    this.#armed ??= new Map()
    this.#armed.set(name, fault)
    return () => {
      this.#armed?.delete(name)
      if (this.#armed?.size === 0) this.#armed = undefined
    }
  }
}

function fail(name: string): never {
  throw new PlatformError('FAULT_INJECTED', `fault injected at ${name}`)
}
