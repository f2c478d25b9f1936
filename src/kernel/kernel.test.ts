import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'
import { Binding, currentPlatform } from './binding.ts'
import { durationMs } from './duration.ts'
import { Faults } from './faults.ts'
import { Metrics } from './metrics.ts'
import { resolveOptions } from './options.ts'
import { compileSchema, type StandardSchema, t } from './schema.ts'
import { Wake } from './wake.ts'

test('durations are numbers of milliseconds or a number with a unit', () => {
  expect([durationMs(5), durationMs('250ms'), durationMs('4s'), durationMs('10m'), durationMs('7d')]).toEqual([
    5, 250, 4000, 600_000, 604_800_000,
  ])
  for (const wrong of ['4', 'soon', '-1s', Number.NaN, -1]) expect(() => durationMs(wrong)).toThrow('is not a duration')
})

test('a backoff grows, is never less than half its step, and ends at its most', () => {
  for (const random of [0, 0.5, 0.999]) {
    const waits = [1, 2, 3, 20].map((attempt) => backoffMs(attempt, { first: 100, max: 1000 }, random))
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits[0]).toBeGreaterThanOrEqual(50)
    expect(waits.at(-1)).toBeLessThanOrEqual(1000)
  }
})

test('a schema names every wrong field and what is wrong with it', () => {
  const schema = compileSchema({ id: t.int(), kind: t.oneOf('a', 'b'), tags: t.optional(t.array(t.string())) })
  expect(schema.parse({ id: 1, kind: 'a' }, 'input')).toEqual({ id: 1, kind: 'a' })
  try {
    schema.parse({ id: 'x', other: 1, tags: [1] }, 'input')
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      code: 'INPUT_INVALID',
      issues: expect.arrayContaining([
        { path: '/kind', message: 'is missing' },
        { path: '/other', message: 'is not a known field' },
        { path: '/id', message: 'must be integer' },
        { path: '/tags/0', message: 'must be string' },
      ]),
    })
  }
})

test('a Standard Schema of another library serves as well', () => {
  const even: StandardSchema<number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'number' && value % 2 === 0
          ? { value }
          : { issues: [{ message: 'is odd', path: ['n', { key: 0 }] }] },
    },
  }
  expect(compileSchema(even).parse(4, 'n')).toBe(4)
  expect(() => compileSchema(even).parse(3, 'n')).toThrow('n: /n/0 is odd')
})

test('an unknown option is refused with the known ones', () => {
  expect(() => resolveOptions('x', { a: 1, b: 2 }, { c: 3 } as object)).toThrow('x has no option "c"')
  expect(resolveOptions('x', { a: 1, b: 2 }, { b: undefined })).toEqual({ a: 1, b: 2 })
})

test('a declaration finds the part of the platform that runs it', () => {
  const binding = new Binding<string>('cache "x"')
  expect(() => binding.current).toThrow('while its app does not run')
  const [a, b] = [{}, {}]
  binding.bind(a, 'of a')
  expect(binding.current).toBe('of a')
  binding.bind(b, 'of b')
  expect(() => binding.current).toThrow('outside the apps that run it')
  expect(currentPlatform.run(b, () => binding.current)).toBe('of b')
  binding.unbind(a)
  expect(binding.current).toBe('of b')
})

test('metrics read as Prometheus text', () => {
  const metrics = new Metrics()
  metrics.counter('m_total', 'Help.', { of: 'a "b"\n' }).add(2)
  metrics.histogram('m_seconds', 'Help.').observe(0.002)
  const text = metrics.text()
  expect(text).toContain('# TYPE m_total counter\nm_total{of="a \\"b\\"\\n"} 2\n')
  expect(text).toContain('m_seconds_bucket{le="0.001"} 0\n')
  expect(text).toContain('m_seconds_bucket{le="+Inf"} 1\n')
  expect(metrics.total('m_total', { of: 'a "b"\n' })).toBe(2)
})

test('pokes before a wait end it at once, exactly one time', async () => {
  const wake = new Wake()
  const { signal } = new AbortController()
  wake.poke()
  wake.poke()
  expect(await wake.wait(10_000, signal)).toBe(true)
  expect(await wake.wait(1, signal)).toBe(false)
  const waiting = wake.wait(10_000, signal)
  wake.poke()
  expect(await waiting).toBe(true)
})

test('a fault strikes at its point until it is disarmed', async () => {
  const faults = new Faults()
  const disarm = faults.arm('a.point')
  await expect(faults.at('a.point')).rejects.toMatchObject({ code: 'FAULT_INJECTED' })
  await faults.at('another.point')
  disarm()
  await faults.at('a.point')
})

test('a foreign schema gives what goes in and what comes out, and nothing where it cannot say', () => {
  const { jsonSchema, outputSchema } = compileSchema({
    '~standard': {
      version: 1,
      vendor: 'x',
      validate: (value: unknown) => ({ value }),
      jsonSchema: {
        input: () => ({ type: 'string' }),
        output: () => {
          throw new Error('a transform cannot be represented')
        },
      },
    },
  } as StandardSchema)
  expect([jsonSchema, outputSchema]).toEqual([{ type: 'string' }, undefined])
})
