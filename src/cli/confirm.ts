import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'

/** Asks a person before many are touched; where nobody can be asked, --yes is needed. False when they say no. */
export async function confirm(out: Output, question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes === true) return true
  if (!out.interactive)
    throw new UsageError(`${question} Nobody can be asked here.`, 'Say --yes, or look with --dry-run.')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

/** Who sits here, for the audit. */
export function operatorName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown' // an id without a name, as in containers
  }
}

/** `1 event`, `3 events`. */
export function count(n: number, one: string, many: string = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}
