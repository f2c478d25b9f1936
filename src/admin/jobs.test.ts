import { expect, test } from 'vitest'
import { job } from '../jobs/job.ts'
import { schedule } from '../jobs/schedule.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'

/** Patient, for machines under load. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 })

test('jobs are listed, counted, tried again and cancelled', async () => {
  const clock = testClock()
  let broken = true
  const mail = job('mail', { to: t.string() }, { attempts: 1 }, ({ data }) => {
    if (broken) throw new Error(`no post to ${data.to}`)
    return 'sent'
  })
  await using running = await testApp(app('jobs', { mail }), { clock })
  const dead = await mail.add({ to: 'ann' })
  const late = await mail.add({ to: 'bob' }, { at: '1h', priority: 2 })
  await expect(mail.waitFor(dead)).rejects.toMatchObject({ code: 'JOB_FAILED' })
  expect(await running.operate('jobs', {})).toMatchObject({
    counts: [{ name: 'mail', ready: 0, delayed: 1, running: 0, dead: 1 }],
    jobs: [
      { id: late, state: 'waiting', priority: 2, data: { to: 'bob' } },
      { id: dead, state: 'dead', error: { message: 'no post to ann' } },
    ],
  })
  const page = await running.operate('jobs', { limit: 1 })
  expect(page.jobs).toHaveLength(1)
  expect((await running.operate('jobs', { before: page.next as string })).jobs).toMatchObject([{ id: dead }])
  expect((await running.operate('jobs', { state: 'dead', name: 'mail' })).jobs).toHaveLength(1)
  broken = false
  await running.operate('retryJob', { id: dead, by: 'eve', reason: 'post is back' })
  expect(await mail.waitFor(dead)).toBe('sent')
  expect(await running.operate('cancelJob', { id: late })).toMatchObject({ state: 'cancelled' })
  await expect(running.operate('cancelJob', { id: dead })).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(running.operate('job', { id: '018f2b3c-7c11-7a00-8000-1234567890ab' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  expect((await running.operate('interventions', {})).interventions).toMatchObject([
    { action: 'cancel-job', consumer: 'job:mail' },
    { action: 'retry-job', by: 'eve', reason: 'post is back', what: { job: dead } },
  ])
})

test('schedules are listed, paused, run and resumed', async () => {
  const clock = testClock(new Date('2026-05-04T12:00:00Z'))
  const seen: boolean[] = []
  const report = schedule('report', '0 9 * * *', { timeZone: 'Europe/Berlin' }, ({ data }) => seen.push(data.manual))
  await using running = await testApp(app('timed', { report }), { clock })
  expect(await running.operate('schedules', {})).toMatchObject([
    { name: 'report', when: '0 9 * * *', timeZone: 'Europe/Berlin', paused: false, active: true, fired: 0 },
  ])
  expect(await running.operate('pauseSchedule', { name: 'report' })).toMatchObject({ paused: true, next: [] })
  expect(await running.operate('runSchedule', { name: 'report', by: 'eve' })).toMatchObject({ fired: 1 })
  await eventually(() => seen).toEqual([true])
  const resumed = await running.operate('resumeSchedule', { name: 'report' })
  expect(resumed.next[0]).toBe('2026-05-05T07:00:00.000Z')
  await expect(running.operate('runSchedule', { name: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
