import type { Consumed, Delivery, Effect, Evidence, Intervened, Logged } from './chaos-evidence.ts'

// What consumers must have made of the log. Each rule yields a sentence for whatever breaks it.

type Rule = Generator<string>

/** Of each event of each consumer: one effect, or one delivery in trouble, or given up by hand. Never two, never none. */
export function* eachEventOnce(evidence: Evidence): Rule {
  const effects = grouped(evidence.effects)
  const waiting = grouped(evidence.deliveries)
  const discarded = grouped(evidence.interventions.filter(({ action }) => action === 'discard'))
  for (const consumer of evidence.consumers)
    for (const event of evidence.log) {
      if (!follows(consumer, event)) continue
      const place = placeOf(consumer.name, event.position)
      const done = effects.get(place)?.length ?? 0
      const delivery = waiting.get(place)?.[0]
      const gone = discarded.has(place)
      const what = `${consumer.name} and ${event.op} at ${event.position}`
      if (done > 1) yield `${what}: ${done} effects`
      if (done > 0 && delivery !== undefined) yield `${what}: an effect, and its delivery is ${delivery.state}`
      if (done > 0 && gone) yield `${what}: an effect, and its delivery was discarded`
      if (delivery !== undefined && gone) yield `${what}: discarded, and its delivery is ${delivery.state}`
      if (done === 0 && delivery === undefined && !gone && consumer.whole)
        yield `${what}: no effect, no delivery, not discarded`
    }
}

/** No effect and no delivery of what a consumer does not follow, or of what is not in the log. */
export function* nothingElse({ log, consumers, effects, deliveries }: Evidence): Rule {
  const byName = new Map(consumers.map((consumer) => [consumer.name, consumer]))
  const known = ({ consumer, position }: { consumer: string; position: number }): boolean => {
    const [followed, event] = [byName.get(consumer), log[position - 1]]
    return followed !== undefined && event !== undefined && follows(followed, event)
  }
  for (const effect of effects)
    if (!known(effect))
      yield `${effect.consumer} has an effect of ${effect.op} at ${effect.position}, which is none of its events`
  for (const delivery of deliveries)
    if (!known(delivery))
      yield `${delivery.consumer} has a delivery at ${delivery.position}, which is none of its events`
}

/** Effects of one key stand in the order of the log; what was redriven may come after newer ones. */
export function* orderOfKeys({ consumers, effects, interventions }: Evidence): Rule {
  const redriven = new Set(
    interventions.flatMap(({ action, consumer, position }) =>
      action === 'redrive' && position !== null ? [placeOf(consumer, position)] : [],
    ),
  )
  const ordered = new Set(consumers.filter((each) => each.ordered).map(({ name }) => name))
  const last = new Map<string, Effect>()
  for (const effect of effects) {
    const { consumer, position, key, op } = effect
    if (key === null || !ordered.has(consumer)) continue
    const before = last.get(`${consumer} ${key}`)
    if (before === undefined || before.position <= position) last.set(`${consumer} ${key}`, effect)
    else if (!redriven.has(placeOf(consumer, position)))
      yield `${consumer}, key ${key}: the effect of ${op} at ${position} came after that of ${before.op} at ${before.position}`
  }
}

/** An effect shows what the log says, or what it was edited to last. */
export function* effectsShowTheirData({ log, effects, interventions }: Evidence): Rule {
  const edited = new Map<string, string | null>()
  for (const { action, consumer, position, note } of interventions)
    if (position !== null && (action === 'edit' || action === 'undo-edit'))
      edited.set(placeOf(consumer, position), action === 'edit' ? note : null)
  for (const { consumer, position, op, note } of effects) {
    const event = log[position - 1]
    if (event === undefined) continue
    if (event.op !== op) yield `the effect of ${consumer} at ${position} is of ${op}, the log has ${event.op} there`
    const expected = edited.get(placeOf(consumer, position)) ?? event.note
    if (note !== expected)
      yield `the effect of ${consumer} for ${op} at ${position} shows "${note}", its data is "${expected}"`
  }
}

/** What handlers published stands in the log as often as their effects say, after its cause. */
export function* whatFollowsHasItsCause({ log, effects }: Evidence): Rule {
  const expected = new Map<number, number>()
  for (const { position, follows: count } of effects)
    if (count > 0) expected.set(position, (expected.get(position) ?? 0) + count)
  const found = new Map<number, number>()
  for (const { op, position, cause } of log) {
    if (cause === null) continue
    found.set(cause, (found.get(cause) ?? 0) + 1)
    if (cause >= position) yield `${op} at ${position} stands before its cause at ${cause}`
  }
  for (const [cause, count] of found)
    if (count !== (expected.get(cause) ?? 0))
      yield `${count} events name ${cause} as their cause, its effects say ${expected.get(cause) ?? 0}`
  for (const [cause, count] of expected)
    if (!found.has(cause)) yield `the effects of ${cause} say that it published ${count} events, the log has none`
}

/** No delivery is dead without a failure that is written down, and each failure is one that a handler was meant to have. */
export function* failuresAreRecorded({ deliveries }: Evidence): Rule {
  for (const { consumer, position, state, attempt, error, tries } of deliveries) {
    const what = `the delivery of ${position} to ${consumer}`
    if (state === 'dead' && (error === null || tries.length === 0 || attempt === 0))
      yield `${what} is dead, and no failure is recorded`
    for (const failure of tries)
      if (!isPlanned(failure)) yield `${what} failed with ${failure.code}: ${failure.message}, which no handler did`
  }
}

/** What somebody was told is done is in the audit, as often as he was told; what failed is not. */
export function* interventionsAreAudited({ operations, interventions }: Evidence): Rule {
  const noted = new Map<string, number>()
  for (const { action, reason } of interventions) {
    const place = `${action} ${reason}`
    noted.set(place, (noted.get(place) ?? 0) + 1)
  }
  for (const { id, what, outcome, told } of operations) {
    if (told === null && outcome !== 'fail') continue
    const [asked, found] = [outcome === 'fail' ? 0 : told, noted.get(`${what} ${id}`) ?? 0]
    if (audited.includes(what) && asked !== found)
      yield `${what} ${id} was answered with ${asked}, the audit has ${found}`
  }
}

const audited: readonly string[] = ['redrive', 'discard', 'edit', 'retry-now', 'pause', 'resume', 'replay']

/** Codes that come of what handlers are told to do wrong, and of being killed or stopped while they work. */
const plannedCodes = ['22012', '23505', 'TRANSACTION_ABORTED', 'HANDLER_TIMEOUT', 'HANDLER_KILLED']
const isPlanned = ({ code, message }: Delivery['tries'][number]): boolean =>
  message.startsWith('planned') || plannedCodes.includes(code)

function follows({ types, from, until, key }: Consumed, event: Logged): boolean {
  return (
    types.includes(event.type) &&
    event.position >= from &&
    event.position <= until &&
    (key === null || key === event.key)
  )
}

const placeOf = (consumer: string, position: number): string => `${consumer} ${position}`

function grouped<T extends Pick<Intervened, 'consumer' | 'position'>>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const each of all) {
    if (each.position === null) continue
    const place = placeOf(each.consumer, each.position)
    const same = groups.get(place)
    if (same === undefined) groups.set(place, [each])
    else same.push(each)
  }
  return groups
}
