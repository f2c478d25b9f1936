import { expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { stream } from '../streams/stream.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const effects = {
  setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
    sql`create table if not exists effects (id serial primary key, key text, n int)`,
}
/** Fails the numbers in `broken`, with an error that names them. */
function clerk(broken: Set<number>, options = {}) {
  return on('clerk', sent, { attempts: 1, ...options }, async ({ data: { key, n }, sql, position }) => {
    if (broken.has(n)) throw new TypeError(`cannot read 'field ${n}' of order ${position}`)
    await sql`insert into effects (key, n) values (${key}, ${n})`
  })
}
const publish = async (running: TestApp, ...events: [string, number][]) => {
  for (const [key, n] of events) await running.publish(sent, { key, n })
  await running.settled()
}
const handled = async (running: TestApp): Promise<number[]> =>
  (await running.sql<{ n: number }>`select n from effects order by id`).map(({ n }) => n)

test('what fails alike is one group, with what differs taken out', async () => {
  const broken = new Set([1, 2, 3])
  const other = on('other', sent, { attempts: 1 }, ({ data }) => {
    if (data.n === 2) throw new Error('no parcels left')
  })
  await using running = await testApp(app('t', { sent, clerk: clerk(broken), other }, effects))
  await publish(running, ['a', 1], ['a', 2], ['b', 3], ['b', 4])
  const groups = await running.operate('failures', {})
  expect(groups).toHaveLength(2)
  expect(groups.find(({ consumer }) => consumer === 'clerk')).toMatchObject({
    kind: 'consumer',
    replay: null,
    types: ['sent'],
    code: 'TypeError',
    message: 'cannot read ‹text› of order ‹n›',
    count: 3,
    dead: 3,
    retrying: 0,
    example: { position: 3, key: 'b', message: "cannot read 'field 3' of order 3" },
  })
  expect(await running.operate('failures', { consumer: 'other' })).toMatchObject([{ message: 'no parcels left' }])
})

test('a retrying group says when, and how many wait behind; retryNow does not wait', async () => {
  const broken = new Set([1])
  const slow = clerk(broken, { attempts: 5, backoff: { first: '1h' } })
  await using running = await testApp(app('t', { sent, slow }, effects), { clock: testClock() })
  await publish(running, ['a', 1], ['a', 2], ['a', 3], ['b', 4])
  expect(await running.operate('failures', {})).toMatchObject([
    { retrying: 1, dead: 0, held: 2, retryAt: expect.stringMatching(/^\d{4}-.+T/) },
  ])
  expect(await running.operate('deadLetter', { consumer: 'clerk', position: 1 })).toMatchObject({
    state: 'retrying',
    heldBehind: [2, 3],
    tries: [{ attempt: 1, code: 'TypeError', member: expect.any(String) }],
  })
  broken.clear()
  expect(await running.operate('retryNow', { consumer: 'clerk', dryRun: true })).toEqual({ due: 1 })
  expect(await running.operate('retryNow', { consumer: 'clerk', by: 'ann' })).toEqual({ due: 1 })
  await until('all are handled', async () => (await handled(running)).length === 4)
  expect(await handled(running)).toEqual([4, 1, 2, 3])
})

test('dead letters are listed in pages, by consumer, key, type and signature', async () => {
  const broken = new Set(Array.from({ length: 7 }, (_, n) => n))
  await using running = await testApp(app('t', { sent, clerk: clerk(broken) }, effects))
  await publish(running, ...Array.from({ length: 7 }, (_, n): [string, number] => [n % 2 === 0 ? 'even' : 'odd', n]))
  const first = await running.operate('deadLetters', { limit: 3 })
  expect(first).toMatchObject({ total: 7, deliveries: [{ position: 7 }, { position: 6 }, { position: 5 }] })
  const second = await running.operate('deadLetters', { limit: 3, cursor: first.next ?? '' })
  expect(second.deliveries.map(({ position }) => position)).toEqual([4, 3, 2])
  const third = await running.operate('deadLetters', { limit: 3, cursor: second.next ?? '' })
  expect(third).toMatchObject({ total: 7, deliveries: [{ position: 1, state: 'dead', attempts: 1, edited: false }] })
  expect(third.next).toBeUndefined()
  expect((await running.operate('deadLetters', { key: 'odd' })).total).toBe(3)
  expect((await running.operate('deadLetters', { type: 'se*' })).total).toBe(7)
  expect((await running.operate('deadLetters', { type: 'other' })).total).toBe(0)
  expect((await running.operate('deadLetters', { state: 'retrying' })).total).toBe(0)
  const [group] = await running.operate('failures', {})
  expect((await running.operate('deadLetters', { signature: group?.signature ?? '' })).total).toBe(7)
  await expect(running.operate('deadLetters', { cursor: 'x' })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
})

test('a redriven group runs in the order of each key; a dry run only counts', async () => {
  const broken = new Set([1, 2, 3, 4])
  await using running = await testApp(app('t', { sent, clerk: clerk(broken) }, effects))
  await publish(running, ['a', 1], ['b', 2], ['a', 3], ['b', 4], ['a', 5])
  const [group] = await running.operate('failures', {})
  const signature = group?.signature ?? ''
  const plan = { redriven: 4, keys: 2, afterNewer: 2, unchecked: 0, consumers: ['clerk'] }
  expect(await running.operate('redrive', { signature, dryRun: true })).toEqual(plan)
  expect(await handled(running)).toEqual([5])
  broken.clear()
  expect(await running.operate('redrive', { signature, by: 'ann', reason: 'mended' })).toEqual(plan)
  await until('all are handled', async () => (await handled(running)).length === 5)
  const done = await handled(running)
  expect(done.filter((n) => n === 1 || n === 3)).toEqual([1, 3])
  expect(done.filter((n) => n === 2 || n === 4)).toEqual([2, 4])
  expect(await running.operate('failures', {})).toEqual([])
  const { interventions } = await running.operate('interventions', { consumer: 'clerk' })
  expect(interventions).toHaveLength(4)
  expect(interventions[0]).toMatchObject({ action: 'redrive', by: 'ann', reason: 'mended', position: 4, key: 'b' })
})

test('a redriven event runs before newer ones of its key that are held', async () => {
  const broken = new Set([1, 2])
  const moody = on('clerk', sent, { attempts: 2, backoff: { first: '1h' } }, async ({ data: { key, n }, sql }) => {
    if (broken.has(n)) throw new Error(`no ${n}`)
    await sql`insert into effects (key, n) values (${key}, ${n})`
  })
  const clock = testClock()
  await using running = await testApp(app('t', { sent, moody }, effects), { clock })
  await publish(running, ['a', 1])
  clock.advance('2h')
  await until('it is dead', async () => (await running.operate('deadLetters', { state: 'dead' })).total === 1)
  await publish(running, ['a', 2], ['a', 3])
  broken.clear()
  expect(await running.operate('redrive', { consumer: 'clerk', positions: [1] })).toMatchObject({
    redriven: 1,
    afterNewer: 0,
  })
  await until('all are handled', async () => (await handled(running)).length === 3)
  expect(await handled(running)).toEqual([1, 2, 3])
})

test('an event that fails again after its redrive has all its tries again', async () => {
  const broken = new Set([1])
  const clock = testClock()
  const clerk2 = clerk(broken, { attempts: 2, backoff: { first: '1m' } })
  await using running = await testApp(app('t', { sent, clerk2 }, effects), { clock })
  await publish(running, ['a', 1])
  const dead = async () => (await running.operate('deadLetters', { state: 'dead' })).total === 1
  clock.advance('2m')
  await until('it is dead', dead)
  await running.operate('redrive', { consumer: 'clerk', positions: [1] })
  const tried = async () => (await running.operate('deadLetter', { consumer: 'clerk', position: 1 })).tries
  await until('it failed again', async () => (await tried()).length === 3)
  expect(await running.operate('deadLetter', { consumer: 'clerk', position: 1 })).toMatchObject({
    state: 'retrying',
    attempts: 1,
    redrives: 1,
  })
  clock.advance('2m')
  await until('it is dead again', dead)
  expect((await tried()).map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2])
})

test('an edited delivery is checked, gets its data to the handler, and changes nothing in the log', async () => {
  const broken = new Set([1])
  await using running = await testApp(app('t', { sent, clerk: clerk(broken) }, effects))
  await publish(running, ['a', 1])
  const address = { consumer: 'clerk', position: 1 }
  await expect(running.operate('edit', { ...address, data: { key: 'a', n: 'x' } })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    issues: [{ path: '/n' }],
  })
  await expect(running.operate('edit', { ...address, data: { key: 'b', n: 2 } })).rejects.toThrow(/key must stay "a"/)
  const edited = await running.operate('edit', { ...address, data: { key: 'a', n: 7 }, by: 'ann', reason: 'typo' })
  expect(edited).toMatchObject({
    state: 'dead',
    edited: true,
    data: { key: 'a', n: 1 },
    edit: { data: { key: 'a', n: 7 }, by: 'ann', reason: 'typo' },
    schema: expect.objectContaining({ type: 'object' }),
    interventions: [{ action: 'edit', by: 'ann' }],
  })
  expect(await running.operate('undoEdit', address)).toMatchObject({
    edited: false,
    interventions: [{ action: 'undo-edit' }, {}],
  })
  await running.operate('edit', { ...address, data: { key: 'a', n: 8 }, redrive: true })
  await until('it is handled', async () => (await handled(running)).length === 1)
  expect(await handled(running)).toEqual([8])
  expect((await running.operate('event', { position: 1 })).data).toEqual({ key: 'a', n: 1 })
  await expect(running.operate('deadLetter', address)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('an event of a stream can be edited: its key is the stream, not what its data says', async () => {
  const counted = event('counted', { n: t.int() })
  const counter = stream('counter', { events: { counted }, initial: () => 0, evolve: (state) => state + 1 })
  const reader = on('reader', counted, { attempts: 1 }, async ({ key, data: { n }, sql }) => {
    if (n === 1) throw new Error('not 1')
    await sql`insert into effects (key, n) values (${key}, ${n})`
  })
  await using running = await testApp(app('t', { counted, counter, reader }, effects))
  await running.within(() => counter.append('a', [{ type: 'counted', data: { n: 1 } }]))
  await running.settled()
  await running.operate('edit', { consumer: 'reader', position: 1, data: { n: 2 }, redrive: true })
  await until('it is handled', async () => (await handled(running)).length === 1)
  expect(await running.sql`select key, n from effects`).toEqual([{ key: 'counter:a', n: 2 }])
})

test('an edit while the old data is being handled wins: what it did is rolled back', async () => {
  let release: () => void = () => {}
  let entered = 0
  const stuck = new Promise<void>((resolve) => {
    release = resolve
  })
  const clock = testClock()
  const slow = on('clerk', sent, { attempts: 9, backoff: { first: '1m' } }, async ({ data: { key, n }, sql }) => {
    entered += 1
    if (entered === 1) throw new Error('first')
    await sql`insert into effects (key, n) values (${key}, ${n})`
    if (entered === 2) await stuck
  })
  await using running = await testApp(app('t', { sent, slow }, effects), { clock })
  await publish(running, ['a', 1], ['a', 2])
  clock.advance('2m')
  await until('the second try is under way', () => entered === 2)
  await running.operate('edit', { consumer: 'clerk', position: 1, data: { key: 'a', n: 5 } })
  release()
  await until('both are handled', async () => (await handled(running)).length === 2)
  expect(await handled(running)).toEqual([5, 2])
})

test('a discarded event is never handled, needs a reason, and stands in the audit; what it held back goes on', async () => {
  const broken = new Set([1])
  const slow = clerk(broken, { attempts: 5, backoff: { first: '1h' } })
  await using running = await testApp(app('t', { sent, slow }, effects))
  await publish(running, ['a', 1], ['a', 2])
  await expect(running.operate('discard', { consumer: 'clerk', positions: [1], reason: ' ' })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  })
  // It waits for a retry: only who names it means it.
  expect(await running.operate('discard', { consumer: 'clerk', reason: 'spam' })).toEqual({ discarded: 0 })
  expect(await running.operate('discard', { consumer: 'clerk', positions: [1], reason: 'spam', by: 'ann' })).toEqual({
    discarded: 1,
  })
  await until('the key goes on', async () => (await handled(running)).length === 1)
  expect(await handled(running)).toEqual([2])
  const { deliveries } = await running.operate('event', { position: 1 })
  expect(deliveries).toMatchObject([{ follower: 'clerk', status: 'discarded', error: { code: 'TypeError' } }])
  expect((await running.operate('journey', { position: 1 })).complete).toBe(true)
  expect(await running.operate('interventions', { action: 'discard' })).toMatchObject({
    interventions: [
      { by: 'ann', reason: 'spam', position: 1, key: 'a', type: 'sent', what: { error: { code: 'TypeError' } } },
    ],
  })
})

test('who selects nothing is told so, and positions need their consumer', async () => {
  await using running = await testApp(app('t', { sent, clerk: clerk(new Set()) }, effects))
  await expect(running.operate('redrive', {})).rejects.toThrow(/all: true/)
  await expect(running.operate('redrive', { positions: [1] })).rejects.toThrow(/consumer/)
  expect(await running.operate('redrive', { all: true })).toMatchObject({ redriven: 0 })
})

test('a paused consumer stands still until it is resumed', async () => {
  await using running = await testApp(app('t', { sent, clerk: clerk(new Set()) }, effects))
  await publish(running, ['a', 1])
  expect(await running.operate('pauseConsumer', { consumer: 'clerk', by: 'ann' })).toMatchObject({
    name: 'clerk',
    paused: true,
    status: 'paused',
    policy: { attempts: '1' },
  })
  // Until it knows of the pause it may still take some.
  let n = 1
  await until('it leaves one lying', async () => {
    n += 1
    await publish(running, ['a', n])
    return (await running.operate('consumers', {}))[0]?.lag === 1
  })
  expect(await handled(running)).toHaveLength(n - 1)
  expect(await running.operate('resumeConsumer', { consumer: 'clerk' })).toMatchObject({ paused: false })
  await until('it goes on', async () => (await handled(running)).length === n)
  await expect(running.operate('pauseConsumer', { consumer: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect((await running.operate('interventions', {})).interventions.map(({ action }) => action)).toEqual([
    'resume',
    'pause',
  ])
})

test('secrets in errors are not stored', async () => {
  const leaky = on('leaky', sent, { attempts: 1 }, () => {
    const cause = new Error('connect to postgres://app:hunter22@db/shop failed')
    throw new Error('call with Authorization: Bearer abcdef0123456789 and password=swordfish, token: "t0p53cr3t"', {
      cause,
    })
  })
  await using running = await testApp(app('t', { sent, leaky }))
  await publish(running, ['a', 1])
  const told = JSON.stringify(await running.operate('deadLetter', { consumer: 'leaky', position: 1 }))
  for (const secret of ['hunter22', 'abcdef0123456789', 'swordfish', 't0p53cr3t']) expect(told).not.toContain(secret)
  expect(told).toContain('caused by Error: connect to postgres://app:***@db/shop failed')
})
