import { setTimeout as sleep } from 'node:timers/promises'

/** Looks again and again until `holds`: for what nobody signals. Throws naming what never came true. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`)
    await sleep(5)
  }
}

/** A promise and how to settle it from outside. */
export function signal(): { done: Promise<void>; tell: () => void } {
  let tell = (): void => undefined
  const done = new Promise<void>((resolve) => {
    tell = resolve
  })
  return { done, tell }
}
