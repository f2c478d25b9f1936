import type { Evidence, Logged, Revision } from './chaos-evidence.ts'
import type { Operation } from './chaos-history.ts'

// What the log must be, given what writers asked and were told. Each rule yields a sentence for whatever breaks it.

type Rule = Generator<string>

export function* positionsAreContiguous({ log, head, stored }: Evidence): Rule {
  for (const [i, { position, op }] of log.entries())
    if (position !== i + 1) {
      yield `position ${i + 1} should come next, but ${position} (${op}) does`
      return
    }
  if (log.length !== head) yield `the log ends at ${log.length}, but positions were given up to ${head}`
  if (stored !== head) yield `${stored} events are stored, ${head} have a position`
}

/** Acknowledged: once. Certainly failed: never. Unknown: at most once. Nobody asked: never. */
export function* whatWasAskedIsThere({ operations, log }: Evidence): Rule {
  const found = byOp(log)
  for (const { id, what, events } of operations)
    for (const { op, type, key, outcome } of events) {
      const there = found.get(op) ?? []
      found.delete(op)
      const at = there.map(({ position }) => position).join(', ')
      if (there.length > 1) yield `${op} (${what} ${id}) was published once and is in the log at ${at}`
      if (there.length === 0 && outcome === 'ok') yield `${op} (${what} ${id}) was acknowledged and is not in the log`
      if (there.length > 0 && outcome === 'fail')
        yield `${op} (${what} ${id}) was certainly not published and is at ${at}`
      const other = there.find((each) => each.type !== type || each.key !== key)
      if (other !== undefined)
        yield `${op} was published as ${type} with key ${key} and is ${other.type} with key ${other.key}`
    }
  for (const [op, there] of found)
    if (there[0]?.cause === null) yield `${op} is at ${there[0].position} and nobody asked for it`
}

/** What one writer published in one go stands in the order in which it did. */
export function* orderOfOneWriter({ operations, log }: Evidence): Rule {
  const found = byOp(log)
  for (const { id, what, events } of operations) {
    let last: Logged | undefined
    for (const { op } of events) {
      const there = found.get(op)?.[0]
      if (there === undefined) continue
      if (last !== undefined && there.position < last.position)
        yield `${what} ${id} published ${last.op} before ${op}, and they are at ${last.position} and ${there.position}`
      last = there
    }
  }
}

/** What was acknowledged before another was asked for, by whomever, stands before it. */
export function* orderOfAcknowledgement({ operations, log }: Evidence): Rule {
  const ofOp = new Map<string, Operation>()
  for (const operation of operations)
    if (operation.atOnce) for (const { op } of operation.events) ofOp.set(op, operation)
  // From the end: the earliest acknowledgement of all that stand later.
  let earliest: { told: number; op: string; position: number } | undefined
  for (const { op, position } of log.toReversed()) {
    const operation = ofOp.get(op)
    if (operation === undefined) continue
    if (earliest !== undefined && earliest.told < operation.askedAt)
      yield `${op} at ${position} was asked for after ${earliest.op} at ${earliest.position} had been acknowledged`
    const { toldAt, outcome } = operation
    if (outcome === 'ok' && toldAt !== null && toldAt < (earliest?.told ?? Number.POSITIVE_INFINITY))
      earliest = { told: toldAt, op, position }
  }
}

/** Events of a transaction exist exactly if the rows do that it wrote beside them. */
export function* eventsAndRowsAgree({ operations, log, rows }: Evidence): Rule {
  const found = byOp(log)
  const left = new Set(rows)
  for (const { id, events, withRows } of operations) {
    if (!withRows) continue
    for (const { op } of events) {
      if (left.has(op) && !found.has(op)) yield `the transaction of ${id} has the row of ${op}, but not its event`
      if (!left.has(op) && found.has(op)) yield `the transaction of ${id} has the event ${op}, but not its row`
    }
  }
}

/** Revisions are 1, 2, 3, … in the order of the log, and each append has those that it was told. */
export function* streamsAreWhole({ operations, log, revisions }: Evidence): Rule {
  let before: Revision | undefined
  const at = new Map<string, Revision>()
  for (const each of revisions) {
    const { stream, revision, position } = each
    const last = before?.stream === stream ? before : undefined
    if (revision !== (last?.revision ?? 0) + 1)
      yield `stream ${stream} has revision ${revision} after ${last?.revision ?? 0}`
    if (last !== undefined && last.position >= position)
      yield `revision ${revision} of ${stream} is at ${position}, before revision ${last.revision} at ${last.position}`
    at.set(`${stream} ${revision}`, each)
    before = each
  }
  const found = byOp(log)
  for (const { id, what, outcome, events, told } of operations) {
    if (what !== 'append' || outcome !== 'ok' || told === null) continue
    for (const [i, { op, key }] of events.entries()) {
      const revision = told - events.length + 1 + i
      if (at.get(`${key} ${revision}`)?.position !== found.get(op)?.[0]?.position)
        yield `append ${id} was told that ${op} is revision ${revision} of ${key}, which is another event`
    }
  }
}

function byOp(log: readonly Logged[]): Map<string, Logged[]> {
  const found = new Map<string, Logged[]>()
  for (const each of log) {
    const same = found.get(each.op)
    if (same === undefined) found.set(each.op, [each])
    else same.push(each)
  }
  return found
}
