import { expect, test } from 'vitest'
import { checkHistory, ruleNames, shownFindings } from './chaos-checker.ts'
import type { Consumed, Delivery, Effect, Evidence, Intervened, Logged } from './chaos-evidence.ts'
import { type Operation, type Outcome, operationsOf } from './chaos-history.ts'

// A good history passes; each way to break it is found, under its rule and with a sentence that names it.

type Draft = { -readonly [K in keyof Evidence]: Evidence[K] extends readonly (infer T)[] ? T[] : Evidence[K] }

const asked = (id: string, at: [number, number | null], outcome: Outcome, ops: string, more = {}): Operation => ({
  ...{ id, what: 'alone', askedAt: at[0], toldAt: at[1], outcome, withRows: false, atOnce: true, told: null },
  events: ops.split(' ').map((op) => ({ op, type: 'did', key: op[0] ?? null, outcome })),
  ...more,
})
const acted = (id: string, what: string, told: number): Operation => ({
  ...asked(id, [900, 950], 'ok', ''),
  ...{ what, told, events: [] },
})
const logged = (position: number, op: string, more: Partial<Logged> = {}): Logged => ({
  ...{ position, op, type: 'did', key: op[0] ?? null, note: 'first', cause: null },
  ...more,
})
const effect = (consumer: string, { position, op, key, note }: Logged, more: Partial<Effect> = {}): Effect => ({
  ...{ consumer, position, op, key, note, follows: 0 },
  ...more,
})
const consumer = (name: string, more: Partial<Consumed> = {}): Consumed => ({
  ...{ name, types: ['did'], from: 1, until: Number.POSITIVE_INFINITY, key: null, ordered: true, whole: true },
  ...more,
})
const intervened = (action: string, position: number, reason: string, note: string | null = null): Intervened => ({
  ...{ action, consumer: 'plain', position, reason, note },
})
const failure = { code: 'Error', message: 'planned: throw' }
const dead: Delivery = {
  ...{ consumer: 'plain', position: 5, state: 'dead', attempt: 3, error: failure, tries: [failure] },
}

/**
 * a1, a2 of one writer; b1 in a transaction with its row; b2, whose answer never came, is there; b3 is dead, b4 was discarded;
 * a3 was dead, edited, and redriven after a4; s1, s2 are a stream; x1 was rolled back; y1 was never answered and is not there.
 */
function good(): Draft {
  const log = [
    ...[logged(1, 'a1'), logged(2, 'a2'), logged(3, 'b1'), logged(4, 'b2'), logged(5, 'b3'), logged(6, 'b4')],
    ...[logged(7, 'a3'), logged(8, 'a4')],
    ...[
      logged(9, 's1', { type: 'credited', key: 'account:1' }),
      logged(10, 's2', { type: 'credited', key: 'account:1' }),
    ],
    logged(11, 'a1>1', { type: 'followed', cause: 1 }),
  ]
  const at = (position: number): Logged => log[position - 1] as Logged
  const stream = [
    { op: 's1', type: 'credited', key: 'account:1', outcome: 'ok' as const },
    { op: 's2', type: 'credited', key: 'account:1', outcome: 'ok' as const },
  ]
  return {
    operations: [
      asked('o1', [10, 20], 'ok', 'a1 a2', { what: 'burst' }),
      asked('o2', [30, 40], 'ok', 'b1', { what: 'transaction', withRows: true }),
      asked('o3', [40, null], 'unknown', 'b2'),
      asked('o4', [41, 50], 'ok', 'b3'),
      asked('o5', [51, 60], 'ok', 'b4'),
      asked('o6', [61, 70], 'ok', 'a3'),
      asked('o7', [71, 80], 'ok', 'a4'),
      asked('o8', [81, 90], 'ok', '', { what: 'append', events: stream, told: 2 }),
      asked('o9', [91, 95], 'fail', 'x1', { what: 'transaction', withRows: true }),
      asked('o10', [91, null], 'unknown', 'y1'),
      ...[acted('e1', 'edit', 1), acted('r1', 'redrive', 1), acted('d1', 'discard', 1)],
    ],
    log,
    head: 11,
    stored: 11,
    consumers: [
      consumer('plain'),
      consumer('tail', { types: ['followed', 'credited'] }),
      consumer('replay:1', { from: 1, until: 2 }),
      consumer('replay:2', { from: 1, until: 4, whole: false }),
    ],
    effects: [
      effect('plain', at(1), { follows: 1 }),
      ...[2, 3, 4, 8].map((position) => effect('plain', at(position))),
      effect('plain', at(7), { note: 'edited' }),
      ...[9, 10, 11].map((position) => effect('tail', at(position))),
      ...[1, 2].map((position) => effect('replay:1', at(position))),
      effect('replay:2', at(1)),
    ],
    deliveries: [dead],
    interventions: [
      intervened('edit', 7, 'e1', 'edited'),
      intervened('redrive', 7, 'r1'),
      intervened('discard', 6, 'd1'),
    ],
    rows: ['b1'],
    revisions: [
      { stream: 'account:1', revision: 1, position: 9 },
      { stream: 'account:1', revision: 2, position: 10 },
    ],
  }
}

test('a good history has no findings', () => {
  expect(checkHistory(good())).toEqual([])
})

/** Takes out the one that fits. */
function drop<T>(from: T[], fits: (one: T) => boolean): void {
  const at = from.findIndex(fits)
  if (at === -1) throw new Error('nothing to drop')
  from.splice(at, 1)
}

function swap<T>(all: T[], a: number, b: number): void {
  ;[all[a], all[b]] = [all[b] as T, all[a] as T]
}

const of = (name: string, position: number) => (each: { consumer: string; position: number | null }) =>
  each.consumer === name && each.position === position
/** Two events of the log change places, and all that tells of their positions with them. */
function swapInLog({ log, effects }: Draft, a: number, b: number): void {
  const [first, second] = [log[a - 1] as Logged, log[b - 1] as Logged]
  log[a - 1] = { ...second, position: a }
  log[b - 1] = { ...first, position: b }
  for (const [i, each] of effects.entries())
    if (each.position === a || each.position === b) effects[i] = { ...each, position: each.position === a ? b : a }
}
const change = <T>(all: T[], at: number, more: Partial<T>): void => {
  all[at] = { ...(all[at] as T), ...more }
}

const mutations: readonly (readonly [string, (evidence: Draft) => unknown, string, RegExp])[] = [
  [
    'a position is left out',
    (e) => drop(e.log, (x) => x.position === 4),
    'positions are contiguous',
    /position 4 should come next/,
  ],
  [
    'an event has no position',
    (e) => Object.assign(e, { stored: 12 }),
    'positions are contiguous',
    /12 events are stored, 11/,
  ],
  [
    'the head lies further on',
    (e) => Object.assign(e, { head: 12 }),
    'positions are contiguous',
    /ends at 11, but positions were given up to 12/,
  ],
  [
    'an acknowledged event is gone',
    (e) => change(e.log, 1, { op: 'b2' }),
    'published exactly if acknowledged',
    /a2 .* was acknowledged and is not in the log/,
  ],
  [
    'an event is there twice',
    (e) => void e.log.push(logged(12, 'a2')),
    'published exactly if acknowledged',
    /a2 .* is in the log at 2, 12/,
  ],
  [
    'an event of a rolled-back transaction is there',
    (e) => void e.log.push(logged(12, 'x1')),
    'published exactly if acknowledged',
    /x1 .* was certainly not published and is at 12/,
  ],
  [
    'an event that nobody asked for is there',
    (e) => void e.log.push(logged(12, 'z1')),
    'published exactly if acknowledged',
    /z1 is at 12 and nobody asked/,
  ],
  [
    'an event has another key',
    (e) => change(e.log, 1, { key: 'b' }),
    'published exactly if acknowledged',
    /a2 was published as did with key a and is did with key b/,
  ],
  ['two events of one burst change places', (e) => swapInLog(e, 1, 2), 'order of one writer', /published a1 before a2/],
  [
    'an event stands before one that was acknowledged earlier',
    (e) => swapInLog(e, 7, 8),
    'order of acknowledgement',
    /a4 at 7 was asked for after a3 at 8/,
  ],
  [
    'a row without its event',
    (e) => void e.rows.push('x1'),
    'events exactly if their transaction',
    /has the row of x1/,
  ],
  ['an event without its row', (e) => void e.rows.pop(), 'events exactly if their transaction', /has the event b1/],
  ['a revision is left out', (e) => change(e.revisions, 1, { revision: 3 }), 'streams are whole', /revision 3 after 1/],
  [
    'a revision stands before the one before it',
    (e) => {
      change(e.revisions, 0, { position: 10 })
      change(e.revisions, 1, { position: 9 })
    },
    'streams are whole',
    /revision 2 of account:1 is at 9, before/,
  ],
  [
    'an append was told another revision',
    (e) => change(e.operations, 7, { told: 3 }),
    'streams are whole',
    /o8 was told that s1 is revision 2/,
  ],
  ['an effect is gone', (e) => drop(e.effects, of('plain', 3)), 'each event once', /plain and b1 at 3: no effect, no/],
  [
    'an effect is doubled',
    (e) => void e.effects.push(effect('plain', e.log[2] as Logged)),
    'each event once',
    /plain and b1 at 3: 2 effects/,
  ],
  [
    'an effect of a dead letter',
    (e) => void e.effects.push(effect('plain', e.log[4] as Logged)),
    'each event once',
    /b3 at 5: an effect, and its delivery is dead/,
  ],
  [
    'an effect of a discarded event',
    (e) => void e.effects.push(effect('plain', e.log[5] as Logged)),
    'each event once',
    /b4 at 6: an effect, and its delivery was discarded/,
  ],
  [
    'a discarded delivery still waits',
    (e) => void e.deliveries.push({ ...dead, position: 6 }),
    'each event once',
    /b4 at 6: discarded, and its delivery is dead/,
  ],
  ['a dead letter is gone', (e) => void e.deliveries.pop(), 'each event once', /b3 at 5: no effect, no delivery/],
  [
    'a replay left out an event',
    (e) => drop(e.effects, of('replay:1', 2)),
    'each event once',
    /replay:1 and a2 at 2: no effect/,
  ],
  [
    'a cancelled replay handled an event twice',
    (e) => void e.effects.push(effect('replay:2', e.log[0] as Logged)),
    'each event once',
    /replay:2 and a1 at 1: 2 effects/,
  ],
  [
    'a replay went beyond its end',
    (e) => void e.effects.push(effect('replay:1', e.log[2] as Logged)),
    'nothing else',
    /replay:1 has an effect of b1 at 3/,
  ],
  [
    'a delivery of a type that is not followed',
    (e) => void e.deliveries.push({ ...dead, position: 9 }),
    'nothing else',
    /plain has a delivery at 9/,
  ],
  [
    'two effects of a key change places',
    (e) => swap(e.effects, 0, 1),
    'order of a key',
    /plain, key a: the effect of a1/,
  ],
  [
    'an event came after newer ones and was not redriven',
    (e) => drop(e.interventions, ({ action }) => action === 'redrive'),
    'order of a key',
    /the effect of a3 at 7 came after that of a4 at 8/,
  ],
  [
    'an effect shows the data from before its edit',
    (e) => change(e.effects, 5, { note: 'first' }),
    'effects show their data',
    /for a3 at 7 shows "first", its data is "edited"/,
  ],
  [
    'an effect shows data that was never there',
    (e) => change(e.effects, 1, { note: 'edited' }),
    'effects show their data',
    /for a2 at 2 shows "edited", its data is "first"/,
  ],
  [
    'an effect is of another event',
    (e) => change(e.effects, 1, { op: 'a4' }),
    'effects show their data',
    /at 2 is of a4, the log has a2/,
  ],
  [
    'an event was published by a handler whose effects are gone',
    (e) => drop(e.effects, of('plain', 1)),
    'what follows has its cause',
    /1 events name 1 as their cause, its effects say 0/,
  ],
  [
    'an event that a handler published is gone',
    (e) => change(e.log, 10, { cause: null }),
    'what follows has its cause',
    /effects of 1 say that it published 1 events, the log has none/,
  ],
  [
    'an event stands before its cause',
    (e) => change(e.log, 10, { cause: 11 }),
    'what follows has its cause',
    /a1>1 at 11 stands before its cause at 11/,
  ],
  [
    'a dead letter without a failure',
    (e) => change(e.deliveries, 0, { tries: [] }),
    'failures are recorded',
    /5 to plain is dead, and no failure/,
  ],
  [
    'a handler is blamed for the store',
    (e) => change(e.deliveries, 0, { tries: [{ code: '57P01', message: 'terminating connection' }] }),
    'failures are recorded',
    /failed with 57P01: terminating connection, which no handler did/,
  ],
  [
    'an acknowledged discard is not in the audit',
    (e) => change(e.operations, 12, { told: 2 }),
    'interventions are audited',
    /discard d1 was answered with 2, the audit has 1/,
  ],
  [
    'an intervention that was refused is in the audit',
    (e) => change(e.operations, 11, { outcome: 'fail' }),
    'interventions are audited',
    /redrive r1 was answered with 0, the audit has 1/,
  ],
]

test.each(mutations)('%s: it is found', (_, mutate, rule, message) => {
  const evidence = good()
  mutate(evidence)
  const findings = checkHistory(evidence)
  expect(findings).toContainEqual({ rule, message: expect.stringMatching(message) })
  expect(shownFindings(findings)).toMatch(message)
})

test('every rule is seen to find something', () => {
  const rules = new Set(mutations.map(([, , rule]) => rule))
  expect([...rules].sort()).toEqual([...ruleNames].sort())
})

test('a history that ends in the middle of a line leaves what was asked unknown', () => {
  const event = { op: 'a1', type: 'did', key: 'a' }
  const lines = [
    { ask: '1', what: 'alone', at: 1, events: [event], withRows: false, atOnce: true },
    { told: '1', at: 2, outcome: 'ok', each: {}, value: null },
    { ask: '2', what: 'client', at: 3, events: [event, { ...event, op: 'a2' }], withRows: true, atOnce: true },
    { told: '2', at: 4, outcome: 'ok', each: { a2: 'fail' }, value: null },
    { ask: '3', what: 'alone', at: 5, events: [event], withRows: false, atOnce: true },
  ].map((line) => `${JSON.stringify(line)}\n`)
  const operations = operationsOf(`${lines.join('')}{"told":"3","at":6,"outc`)
  expect(operations.map(({ id, toldAt, outcome }) => [id, toldAt, outcome])).toEqual([
    ['1', 2, 'ok'],
    ['2', 4, 'ok'],
    ['3', null, 'unknown'],
  ])
  expect(operations[1]?.events.map(({ outcome }) => outcome)).toEqual(['ok', 'fail'])
})
