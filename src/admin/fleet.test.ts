import { expect, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'

const order = event('order', { n: t.int() }, { key: 'n' })

/** Two processes of one app share a consumer; what reaches the second one hangs until it is released. */
async function halfStuck(work: (first: TestApp, second: TestApp, release: () => void) => Promise<void>): Promise<void> {
  let release: () => void = () => {}
  const stuck = new Promise<void>((resolve) => {
    release = resolve
  })
  const database = await testDatabase()
  const { url } = database
  const first = await testApp(app('shop', [on('ship', order, () => {})]), { url, memberName: 'first' })
  const second = await testApp(app('shop', [on('ship', order, () => stuck)]), { url, memberName: 'second' })
  try {
    await expect
      .poll(async () => members(await first.operate('consumers', {})), { timeout: 5000 })
      .toEqual({ first: 8, second: 8 })
    await work(first, second, release)
  } finally {
    release()
    await first.stop()
    await second.stop()
    await database.drop()
  }
}

function members(views: Awaited<ReturnType<TestApp['operate']>>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { slots } of views as { slots: { member: string | null }[] }[]) {
    for (const { member } of slots) counts[member ?? 'nobody'] = (counts[member ?? 'nobody'] ?? 0) + 1
  }
  return counts
}

test('what hangs in another process is behind, and its events wait, whichever process is asked', async () => {
  await halfStuck(async (first, second, release) => {
    for (let n = 1; n <= 40; n += 1) await first.publish(order, { n })
    const statuses = async (asked: TestApp): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {}
      for (let position = 1; position <= 40; position += 1) {
        const { deliveries } = await asked.operate('event', { position })
        expect(deliveries).toHaveLength(1)
        const told = `${deliveries[0]?.status} ${deliveries[0]?.member ?? ''}`.trim()
        counts[told] = (counts[told] ?? 0) + 1
      }
      return counts
    }
    await expect.poll(async () => Object.keys(await statuses(first)), { timeout: 5000 }).toContain('done first')
    const [toFirst, toSecond] = [await statuses(first), await statuses(second)]
    expect(Object.keys(toFirst).sort()).toEqual(['done first', 'waiting'])
    expect(toSecond).toEqual(toFirst)
    for (const asked of [first, second]) {
      const [ship] = await asked.operate('consumers', {})
      expect(ship?.lag).toBeGreaterThan(0)
      expect(ship?.status).toBe('running')
    }
    release()
    await Promise.all([first.settled(), second.settled()])
    expect((await first.operate('consumers', {}))[0]).toMatchObject({ lag: 0 })
    expect(Object.keys(await statuses(first)).sort()).toEqual(['done first', 'done second'])
  })
})
