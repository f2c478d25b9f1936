import type { ResolvedOnOptions } from '../delivery/on-options.ts'
import type { AdminParts } from './sources.ts'

/** How a follower was declared, in words for people; nothing for what has no choices. */
export function policyOf({ consumers }: AdminParts, follower: string): Record<string, string> {
  const definition = consumers.find(({ name }) => name === follower)
  if (definition === undefined) return {}
  const { start, concurrency, timeoutMs, attempts, backoff, onFailure, rate, batch, fallback } = definition.options
  return {
    start: startIn(start),
    'on failure': onFailure,
    attempts: String(attempts),
    backoff: backoffIn(backoff),
    timeout: `${timeoutMs / 1000} s`,
    concurrency: String(concurrency),
    ...(rate === undefined ? {} : { rate: `${rate}/s` }),
    ...(batch === undefined ? {} : { batch: `up to ${batch.size}` }),
    ...(fallback === undefined ? {} : { fallback: 'when given up' }),
  }
}

function startIn(start: ResolvedOnOptions['start']): string {
  if (typeof start === 'string') return start
  return 'time' in start ? start.time.toISOString() : `position ${start.position}`
}

function backoffIn(backoff: ResolvedOnOptions['backoff']): string {
  if (backoff === 'immediate') return 'none'
  if ('every' in backoff) return `every ${backoff.every}`
  return `from ${backoff.first ?? '200ms'}, times ${backoff.factor ?? 2}, to ${backoff.max ?? '5m'}`
}
