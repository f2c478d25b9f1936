import { cpus, totalmem } from 'node:os'

/** Rates end in `_per_s`, times in `_ms`. */
export type Figures = Record<string, number>

/** What one run says, on the last line, as JSON. */
export interface Report {
  bench: string
  metrics: Figures
  peers: Record<string, Figures | { skipped: string }>
  /** Ours divided by the peer's, for rates. */
  ratios: Record<string, Figures>
  machine: { cpu: string; cores: number; memoryGib: number; node: string; date: string }
}

export function report(bench: string, metrics: Figures, peers: Report['peers']): Report {
  const ratios: Report['ratios'] = {}
  for (const [peer, figures] of Object.entries(peers)) {
    if ('skipped' in figures) continue
    ratios[peer] = Object.fromEntries(
      Object.entries(figures as Figures).flatMap(([name, value]) => {
        const ours = metrics[name]
        return name.endsWith('_per_s') && ours !== undefined && value > 0 ? [[name, round(ours / value)]] : []
      }),
    )
  }
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
  }
  return { bench, metrics, peers, ratios, machine }
}

export const round = (value: number): number => Math.round(value * 100) / 100

/** Quantile `q` of the samples, in their unit. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN)
}

/** Progress for people, on stderr: standard output ends with the report. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
