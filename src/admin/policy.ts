import type { AdminParts } from './sources.ts'

/** How a follower was declared, in words for people; nothing for what has no choices. */
export function policyOf({ consumers }: AdminParts, follower: string): Record<string, string> {
  const definition = consumers.find(({ name }) => name === follower)
  if (definition === undefined) return {}
  const { start, concurrency, timeoutMs, attempts, backoff } = definition.options
  return {
    start,
    attempts: String(attempts),
    backoff: `from ${backoff.first ?? '200ms'}, times ${backoff.factor ?? 2}, to ${backoff.max ?? '5m'}`,
    timeout: `${timeoutMs / 1000} s`,
    concurrency: String(concurrency),
  }
}
