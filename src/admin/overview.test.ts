import { expect, test } from 'vitest'
import { adminStage } from '../../test/support/admin-stage.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import type { Check } from './contract.ts'

const order = event('order', { n: t.int() }, { key: 'n' })

test('a warning is told; not everything is up then', async () => {
  const checks: Check[] = [
    { name: 'postgres', status: 'ok', message: 'Postgres answers' },
    { name: 'capture', status: 'warning', message: 'Capture is interrupted: no route' },
  ]
  const { admin } = await adminStage({}, { checks: async () => checks })
  expect(await admin.run('overview', {})).toMatchObject({
    status: 'waiting',
    sentence: 'Capture is interrupted: no route.',
  })
})

test('a store that hangs does not keep a known error back', async () => {
  const checks: Check[] = [{ name: 'postgres', status: 'error', message: 'Postgres does not answer', mend: 'look' }]
  const { admin, store } = await adminStage(
    { consumers: [on('ship', order, () => {})] },
    { checks: async () => checks },
  )
  const { client, release } = await store.acquire()
  await client.query('begin; lock table millrace.consumer_slots')
  try {
    expect(await admin.run('overview', {})).toMatchObject({ status: 'failed', sentence: 'Postgres does not answer.' })
  } finally {
    await client.query('rollback')
    release()
  }
})

test('an error beside a store that answers leaves the totals as they are', async () => {
  const checks: Check[] = [{ name: 'capture', status: 'error', message: 'Changes are not captured', mend: 'look' }]
  const { admin, store } = await adminStage({}, { checks: async () => checks })
  await store.sql`insert into millrace.members (id, app, name, until) values (gen_random_uuid(), 'stage', 'a', now() + interval '1 hour')`
  expect(await admin.run('overview', {})).toMatchObject({ status: 'failed', totals: { members: 1 } })
})
