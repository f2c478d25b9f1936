const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const compactNumber = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** 48,213 */
export function count(value: number): string {
  return whole.format(value)
}

/** 950, 48.2K, 1.3M: for places without room. */
export function compact(value: number): string {
  return value < 10_000 ? whole.format(value) : compactNumber.format(value)
}

/** A rate per second, without its unit: 0, 0.4, 3, 12.5, 1,204. */
export function rate(value: number): string {
  if (value === 0) return '0'
  if (value < 0.05) return '<0.1'
  return value < 100 && !Number.isInteger(value) ? value.toFixed(1) : whole.format(value)
}

/** 0.42 ms, 8.3 ms, 214 ms, 3.2 s, 4 min, 2 h. Three figures are enough to compare. */
export function duration(ms: number): string {
  if (ms < 0.005) return '<0.01 ms'
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 100) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  return coarse(ms / 1_000)
}

/** "now", "8 s ago", "3 min ago", "in 12 s". */
export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1_000
  if (Math.abs(seconds) < 1) return 'now'
  return seconds < 0 ? `in ${coarse(-seconds)}` : `${coarse(seconds)} ago`
}

/** A span of seconds in its largest unit. */
export function coarse(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** 12:01:07.112, in the reader's own zone. */
export function clock(at: string): string {
  const date = new Date(at)
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
}

/** The whole moment, local and UTC, for the hover. */
export function moment(at: string): string {
  const date = new Date(at)
  return `${date.toLocaleDateString('en-CA')} ${clock(at)} (UTC ${date.toISOString().slice(11, 23)})`
}

/** "1 event", "3 events". */
export function plural(value: number, noun: string, many: string = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`
}
