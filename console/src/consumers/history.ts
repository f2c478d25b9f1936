import type { ConsumerView } from '../contract.ts'

const kept = 60
const rates = new Map<string, number[]>()

/** Keeps the last minute of every consumer's rate, for as long as the tab is open. */
export function note(consumers: readonly ConsumerView[]): void {
  for (const { kind, name, rate } of consumers) {
    const id = `${kind}:${name}`
    rates.set(id, [...(rates.get(id) ?? []), rate].slice(-kept))
  }
}

/** Oldest first; empty before the first note. */
export function rateHistory(id: string): readonly number[] {
  return rates.get(id) ?? []
}
