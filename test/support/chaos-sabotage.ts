import type { Effect, Evidence } from './chaos-evidence.ts'
import type { Random } from './chaos-random.ts'

/** Good evidence, each time with one thing wrong somewhere: a checker that lets one of them pass looks at nothing. */
export function sabotaged(evidence: Evidence, random: Random): Readonly<Record<string, Evidence>> {
  const { log, effects, operations } = evidence
  const normal = [...effects.keys()].filter((i) => !effects[i]?.consumer.startsWith('replay:'))
  const any = random.one(normal)
  const acknowledged = new Set(
    operations.flatMap(({ events }) => events.flatMap((e) => (e.outcome === 'ok' ? [e.op] : []))),
  )
  const published = log.findIndex(({ op }) => acknowledged.has(op))
  const [first, second] = neighbours(effects)
  return {
    'an effect is gone': { ...evidence, effects: effects.toSpliced(any, 1) },
    'an effect is doubled': { ...evidence, effects: [...effects, effects[any] as Effect] },
    'two effects of a key changed places': {
      ...evidence,
      effects: effects.with(first, effects[second] as Effect).with(second, effects[first] as Effect),
    },
    'an acknowledged event is gone': { ...evidence, log: log.toSpliced(published, 1) },
    'a position was left out': { ...evidence, head: log.length + 1 },
    'a transaction was half rolled back': { ...evidence, rows: evidence.rows.slice(1) },
  }
}

/** Two effects of one key and an ordered consumer, one after the other. */
function neighbours(effects: readonly Effect[]): [number, number] {
  const first = effects.findIndex(({ consumer, key }) => consumer === 'plain' && key !== null)
  const { key, position } = effects[first] as Effect
  return [
    first,
    effects.findIndex((e, i) => i > first && e.consumer === 'plain' && e.key === key && e.position > position),
  ]
}
