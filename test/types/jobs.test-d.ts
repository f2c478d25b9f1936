import { expectTypeOf, test } from 'vitest'
import { event } from '../../src/events/event.ts'
import { route } from '../../src/gateway/route.ts'
import { job } from '../../src/jobs/job.ts'
import { type ScheduleRun, schedule } from '../../src/jobs/schedule.ts'
import { type StandardSchema, t } from '../../src/kernel/schema.ts'

const sendMail = job(
  'send-mail',
  { to: t.string(), retries: t.optional(t.int()) },
  { perKey: { key: ({ to }) => to, concurrency: 1 }, unique: ({ to }) => to, uniqueFor: '10m', priority: 3 },
  async ({ data, attempt, progress }) => {
    expectTypeOf(data).toEqualTypeOf<{ to: string; retries?: number }>()
    expectTypeOf(attempt).toEqualTypeOf<number>()
    progress({ done: 1 })
    return { messageId: data.to }
  },
)

test('data goes in as its schema says', () => {
  expectTypeOf(sendMail.add).parameter(0).toEqualTypeOf<{ to: string; retries?: number }>()
  // @ts-expect-error `to` is text
  void sendMail.add({ to: 1 })
  // @ts-expect-error `to` is missing
  void sendMail.addMany([{}])
  // @ts-expect-error not an option of adding
  void sendMail.add({ to: 'ann' }, { delay: '5m' })
})

test('the result comes out as the handler returns it', () => {
  expectTypeOf(sendMail.result('x')).resolves.toEqualTypeOf<{ messageId: string } | undefined>()
  expectTypeOf(sendMail.waitFor('x')).resolves.toEqualTypeOf<{ messageId: string }>()
  const quiet = job('quiet', {}, () => undefined)
  expectTypeOf(quiet.waitFor('x')).resolves.toEqualTypeOf<undefined>()
})

test('keys are computed from the data', () => {
  // @ts-expect-error no such field
  job('a', { to: t.string() }, { unique: ({ too }) => too }, () => null)
  // @ts-expect-error a limit per key needs its key
  job('a', { to: t.string() }, { perKey: { concurrency: 1 } }, () => null)
  // @ts-expect-error no such option
  job('a', { to: t.string() }, { retries: 3 }, () => null)
})

test('a Standard Schema of another library is accepted', () => {
  const schema = {} as StandardSchema<{ id: number }>
  job('a', schema, ({ data }) => expectTypeOf(data).toEqualTypeOf<{ id: number }>())
})

test('publish in a job is typed', () => {
  const sent = event('sent', { to: t.string() })
  job('a', {}, async ({ publish }) => {
    await publish(sent, { to: 'ann' }, { at: '5m', id: 'mail-1' })
    // @ts-expect-error `to` is text
    await publish(sent, { to: 1 })
    // @ts-expect-error no such option
    await publish(sent, { to: 'ann' }, { delay: '5m' })
  })
})

test('a job is added in the transaction of a route', () => {
  route('POST /mails', ({ transaction }) => transaction(({ sql }) => sendMail.add({ to: 'ann' }, { client: sql })))
})

test('a schedule says when, and its handler gets the firing', () => {
  schedule('report', '0 9 * * 1-5', { timeZone: 'Europe/Berlin', missed: 'skip' }, ({ data }) =>
    expectTypeOf(data).toEqualTypeOf<ScheduleRun>(),
  )
  schedule('poll', { every: '5m' }, ({ data }) => data.due.length)
  // @ts-expect-error no such policy
  schedule('report', '0 9 * * *', { missed: 'some' }, () => null)
  // @ts-expect-error a period is said with `every`
  schedule('report', { each: '5m' }, () => null)
})
