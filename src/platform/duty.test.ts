import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { Lease } from '../store/lease.ts'
import { joinFleet, type Member } from '../store/member.ts'
import { openStore, type Store } from '../store/store.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { runDuty } from './duty.ts'

const real = { clock: systemClock, logger: silentLogger }
let database: TestDatabase
let store: Store
let members: Member[]
beforeEach(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 6, logger: silentLogger, applicationName: 'duty test' })
  members = [
    await joinFleet(store, { app: 't', name: 'one' }, real),
    await joinFleet(store, { app: 't', name: 'two' }, real),
  ]
})
afterEach(async () => {
  for (const member of members) await member.leave()
  await store.close()
  await database.drop()
})

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

test('one process works at a time, and when it stops the other goes on under a higher epoch', async () => {
  const stops = members.map(() => new AbortController())
  const began: { member: number; epoch: number }[] = []
  let atOnce = 0
  let most = 0
  const duties = members.map((member, i) =>
    runDuty('work', { store, member, ...real }, stops[i]?.signal ?? AbortSignal.abort(), async ({ epoch }, signal) => {
      began.push({ member: i, epoch })
      atOnce += 1
      most = Math.max(most, atOnce)
      await aborted(signal)
      atOnce -= 1
    }),
  )
  await expect.poll(() => began.length).toBe(1)
  const first = began[0]?.member ?? 0
  stops[first]?.abort()
  await expect.poll(() => began.length, { timeout: 5000 }).toBe(2)
  expect(began[1]?.member).toBe(1 - first)
  expect(began[1]?.epoch).toBeGreaterThan(began[0]?.epoch ?? 0)
  stops[1 - first]?.abort()
  await Promise.all(duties)
  expect(most).toBe(1)
})

test('work that fails is taken up again, whatever its lease is doing meanwhile', async () => {
  const [member] = members
  if (member === undefined) throw new Error('nobody')
  const stop = new AbortController()
  const leases: Lease[] = []
  let fail: (error: Error) => void = () => {}
  const duty = runDuty('work', { store, member, ...real }, stop.signal, async (lease, signal) => {
    leases.push(lease)
    if (leases.length > 1) return aborted(signal)
    await new Promise<void>((_, reject) => {
      fail = reject
    })
  })
  await expect.poll(() => leases.length).toBe(1)
  // The look at the lease hangs on this lock while the work fails: its error must find somebody who waits for it.
  await store.transaction(async ({ sql }) => {
    await sql`select 1 from millrace.leases for update`
    await expect
      .poll(
        async () =>
          (
            await store.sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
          ).length,
        { timeout: 5000 },
      )
      .toBeGreaterThan(0)
    fail(new Error('the work broke'))
    await store.sql`select 1`
  })
  await expect.poll(() => leases.length, { timeout: 5000 }).toBe(2)
  stop.abort()
  await duty
})
