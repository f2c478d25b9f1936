import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepingLogger } from '../../../test/support/gateway.ts'
import { type StandardSchema, t } from '../../kernel/schema.ts'
import { app } from '../../platform/app-definition.ts'
import type { RunningApp } from '../../platform/running-app.ts'
import { startApp } from '../../platform/start-app.ts'
import { type TestDatabase, testDatabase } from '../../testing/test-postgres.ts'
import { type EventDefinition, event } from '../event.ts'
import { breakText } from './break-text.ts'
import { breaksOf, contractOf, type RegisteredContract } from './judge.ts'

/** A history: each declaration as it was registered. */
const registered = (...events: readonly EventDefinition[]): RegisteredContract[] =>
  events.map((each, i) => ({
    ...contractOf(each),
    id: i + 1,
    compatibility: each.compatibility,
    registeredAt: '2026-01-31T12:00:00Z',
  }))
const outcome = (declared: EventDefinition, history: readonly RegisteredContract[]): string[] =>
  breaksOf(declared, history).flatMap(({ direction, against, gaps }) =>
    gaps.map(({ path }) => `${direction} ${against.version} ${path}`),
  )

const a = event('e', { a: t.string() })
const withOptional = event('e', { a: t.string(), b: t.optional(t.int()) })
const withRequired = event('e', { a: t.string(), b: t.int() })

describe('compatibility', () => {
  test('backward: new code must read old events', () => {
    expect(outcome(withOptional, registered(a))).toEqual([])
    expect(outcome(withRequired, registered(a))).toEqual(['backward 1 /b'])
    expect(outcome(a, registered(withOptional))).toEqual(['backward 1 /b'])
  })

  test('forward: old readers must read new events', () => {
    const forward = { compatibility: 'forward' as const }
    expect(outcome(event('e', { a: t.string() }, forward), registered(withOptional))).toEqual([])
    expect(outcome(event('e', { a: t.string(), b: t.int() }, forward), registered(withOptional))).toEqual([])
    expect(outcome(event('e', { a: t.string(), b: t.optional(t.int()) }, forward), registered(a))).toEqual([
      'forward 1 /b',
    ])
  })

  test('full: both', () => {
    const full = event('e', { a: t.string(), b: t.optional(t.int()) }, { compatibility: 'full' })
    expect(outcome(full, registered(a))).toEqual(['forward 1 /b'])
    expect(outcome(event('e', { a: t.string() }, { compatibility: 'full' }), registered(withOptional))).toEqual([
      'backward 1 /b',
    ])
  })

  test('counts towards every contract before, not only the last', () => {
    const later = event('e', { a: t.string(), b: t.optional(t.int()), c: t.optional(t.int()) })
    const lost = event('e', { a: t.string(), c: t.optional(t.int()) })
    expect(outcome(lost, registered(withOptional, later))).toEqual(['backward 1 /b', 'backward 1 /b'])
  })

  test('none: nothing is compared, and what comes later begins with it', () => {
    const fresh = event('e', { z: t.int() }, { compatibility: 'none' })
    expect(outcome(fresh, registered(a))).toEqual([])
    expect(outcome(event('e', { z: t.int(), y: t.optional(t.int()) }), registered(a, fresh))).toEqual([])
    expect(outcome(event('e', { y: t.int() }), registered(a, fresh))).toEqual(['backward 1 /z', 'backward 1 /y'])
  })

  test('a contract that is known may run again: after a rollback', () => {
    expect(outcome(a, registered(a, withOptional))).toEqual([])
  })

  test('an upcaster gives backward compatibility, for its version and those that lead to it', () => {
    const second = event('e', { a: t.string(), b: t.int() }, { version: 2, upcast: { 1: () => ({ a: '', b: 1 }) } })
    expect(outcome(second, registered(a))).toEqual([])
    expect(outcome(event('e', { a: t.string(), b: t.int() }, { version: 2 }), registered(a))).toEqual(['backward 1 /b'])
    const third = event('e', { c: t.int() }, { version: 3, upcast: { 2: () => ({ c: 1 }) } })
    expect(outcome(third, registered(a, second))).toEqual(['backward 1 /b'])
    const both = event('e', { c: t.int() }, { version: 3, upcast: { 1: (d) => d, 2: () => ({ c: 1 }) } })
    expect(outcome(both, registered(a, second))).toEqual([])
  })

  test('a schema without JSON Schema is recorded and not compared', () => {
    const opaque = {
      '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) },
    } as StandardSchema<{ a: string }>
    expect(outcome(event('e', opaque), registered(a))).toEqual([])
    expect(outcome(withRequired, registered(event('e', opaque)))).toEqual([])
  })

  test('of a schema that fills in and leaves out, what it gives counts', () => {
    const vendor = (output: object): StandardSchema<{ a: string }> =>
      ({
        '~standard': {
          version: 1,
          vendor: 'x',
          validate: (value: unknown) => ({ value }),
          jsonSchema: { input: () => ({ type: 'object' }), output: () => output },
        },
      }) as unknown as StandardSchema<{ a: string }>
    const closed = (names: string[]): object => ({
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      additionalProperties: false,
    })
    expect(outcome(event('e', vendor(closed(['a', 'b']))), registered(event('e', vendor(closed(['a'])))))).toEqual([])
  })
})

test('the diff says what, where, why and how to mend', () => {
  const history = registered(a)
  expect(breakText(withRequired, breaksOf(withRequired, history))).toBe(
    `event e, version 1, breaks what is registered
  not backward compatible with version 1, registered 2026-01-31:
    /b  was: optional; is: required (objects without it were allowed)
  Raise the version to 2 and give an upcaster: event('e', …, { version: 2, upcast: { 1: (data) => … } }), or set compatibility: 'none' once.`,
  )
})

describe('a start', () => {
  let database: TestDatabase
  let running: RunningApp | undefined
  beforeEach(async () => {
    database = await testDatabase()
  })
  afterEach(async () => {
    await running?.stop()
    running = undefined
    await database.drop()
  })
  const logger = keepingLogger()
  const start = async (declared: EventDefinition, environment: 'production' | 'development' = 'production') => {
    await running?.stop()
    running = undefined
    running = await startApp(app('shop', [declared]), {
      location: { kind: 'url', url: database.url },
      environment,
      logger,
    })
    return running
  }
  const rows = (on: RunningApp) =>
    on.sql<{
      version: number
      compatibility: string
    }>`select version, compatibility from millrace.contracts order by id`

  test('records what is new, once', async () => {
    await start(a)
    await start(a)
    const on = await start(withOptional)
    expect(await rows(on)).toHaveLength(2)
    expect(
      (await on.sql`select event, version, format, schema, registered_by from millrace.contracts order by id`)[0],
    ).toEqual({
      event: 'e',
      version: 1,
      format: 'json',
      schema: { type: 'object', required: ['a'], properties: { a: { type: 'string' } }, additionalProperties: false },
      registered_by: 'shop',
    })
  })

  test('with a breaking change stops in production and changes nothing', async () => {
    await start(a)
    await expect(start(withRequired)).rejects.toMatchObject({
      code: 'CONTRACT_BREAKING',
      message: expect.stringContaining('/b  was: optional; is: required'),
      issues: [{ path: '/e/b', message: 'objects without it were allowed' }],
    })
    expect(await rows(await start(a))).toHaveLength(1)
  })

  test('goes on in development, with a warning, until it is mended', async () => {
    await start(a)
    logger.lines.length = 0
    const on = await start(withRequired, 'development')
    expect(logger.lines.map(({ message }) => message).filter((message) => message.startsWith('event'))).toEqual([
      expect.stringContaining('A start in production stops here.'),
    ])
    expect(await rows(on)).toHaveLength(1)
    const mended = event(
      'e',
      { a: t.string(), b: t.int() },
      { version: 2, upcast: { 1: (d) => ({ a: String(d.a), b: 0 }) } },
    )
    expect(await rows(await start(mended))).toEqual([
      { version: 1, compatibility: 'backward' },
      { version: 2, compatibility: 'backward' },
    ])
  })
})
