import * as deliveries from './chaos-check-deliveries.ts'
import * as log from './chaos-check-log.ts'
import type { Evidence, Finding } from './chaos-evidence.ts'

/** By the names under which findings tell them. */
const rules: Readonly<Record<string, (evidence: Evidence) => Iterable<string>>> = {
  'positions are contiguous': log.positionsAreContiguous,
  'published exactly if acknowledged': log.whatWasAskedIsThere,
  'order of one writer': log.orderOfOneWriter,
  'order of acknowledgement': log.orderOfAcknowledgement,
  'events exactly if their transaction': log.eventsAndRowsAgree,
  'streams are whole': log.streamsAreWhole,
  'each event once': deliveries.eachEventOnce,
  'nothing else': deliveries.nothingElse,
  'order of a key': deliveries.orderOfKeys,
  'effects show their data': deliveries.effectsShowTheirData,
  'what follows has its cause': deliveries.whatFollowsHasItsCause,
  'failures are recorded': deliveries.failuresAreRecorded,
  'interventions are audited': deliveries.interventionsAreAudited,
}

export const ruleNames: readonly string[] = Object.keys(rules)

/** Compares the histories of all writers with what the database has in the end. Nothing is found when all is right. */
export function checkHistory(evidence: Evidence): Finding[] {
  return Object.entries(rules).flatMap(([rule, broken]) =>
    Array.from(broken(evidence), (message) => ({ rule, message })),
  )
}

/** For people: at most `most` of each rule. */
export function shownFindings(findings: readonly Finding[], most = 5): string {
  const byRule = new Map<string, Finding[]>()
  for (const each of findings) byRule.set(each.rule, [...(byRule.get(each.rule) ?? []), each])
  return [...byRule]
    .flatMap(([rule, found]) => [
      `${rule} (${found.length}):`,
      ...found.slice(0, most).map(({ message }) => `  ${message}`),
      ...(found.length > most ? ['  …'] : []),
    ])
    .join('\n')
}
