import { PlatformError } from './errors.ts'

/** Milliseconds as a number, or a text such as `'250ms'`, `'4s'`, `'10m'`, `'1h'`, `'7d'`. */
export type Duration = number | string

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function durationMs(value: Duration): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(value) : null
  const unit = unitMs[match?.[2] ?? '']
  if (match === null || unit === undefined) {
    throw new PlatformError('OPTION_INVALID', `"${value}" is not a duration`, {
      hint: "Write 250, '250ms', '4s', '10m', '1h' or '7d'.",
    })
  }
  return Number(match[1]) * unit
}
