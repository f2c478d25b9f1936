import { expect, test } from 'vitest'
import { Metrics } from '../kernel/metrics.ts'
import { cache } from './cache-definition.ts'
import type { CacheRuntime } from './cache-runtime.ts'
import { createCacheRuntime } from './open-cache.ts'

/** A cache of outside values at a standing time, with its loads in the hands of the test. */
function outside(options: { max?: number; ttl?: string } = {}) {
  let nowMs = 0
  const loads: { id: number; resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = []
  const definition = cache('rate', {
    ttl: '10m',
    ...options,
    load: (id: number) => new Promise<unknown>((resolve, reject) => void loads.push({ id, resolve, reject })),
  })
  const runtime = createCacheRuntime({
    definition,
    store: { run: () => Promise.reject(new Error('no store here')) },
    clock: { now: () => nowMs, sleep: async () => {} },
    metrics: new Metrics(),
  })
  definition.binding.bind({}, runtime)
  const next = async () => {
    await turn()
    const load = loads.shift()
    if (load === undefined) throw new Error('nothing is being loaded')
    return load
  }
  return {
    definition,
    runtime: runtime as CacheRuntime<unknown, number>,
    loads,
    next,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

/** Lets every promise that can settle do so. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('10,000 concurrent misses of one key are one load', async () => {
  const { definition, runtime, loads, next } = outside()
  const asked = Array.from({ length: 10_000 }, () => definition.get(7))
  ;(await next()).resolve({ value: 1.5 })
  expect(new Set(await Promise.all(asked)).size).toBe(1)
  expect(loads).toEqual([])
  expect(runtime.stats()).toMatchObject({ misses: 10_000, joined: 9999, loads: 1, entries: 1 })
})

test('a value is loaded once, then it comes from memory, and peek shows it without a promise', async () => {
  const { definition, runtime, next } = outside()
  expect(definition.peek(7)).toBeUndefined()
  const asked = definition.get(7)
  ;(await next()).resolve('one')
  await asked
  expect(await definition.get(7)).toBe('one')
  expect(definition.peek(7)).toBe('one')
  expect(runtime.stats()).toMatchObject({ hits: 1, misses: 1, loads: 1 })
})

test('that there is no value is remembered too', async () => {
  const { definition, runtime, next } = outside()
  const asked = definition.get(7)
  ;(await next()).resolve(undefined)
  expect([await asked, await definition.get(7)]).toEqual([undefined, undefined])
  expect(runtime.stats()).toMatchObject({ hits: 1, loads: 1 })
})

test('a value lives from the moment its load began', async () => {
  const { definition, next, pass } = outside({ ttl: '10s' })
  const asked = definition.get(7)
  const load = await next()
  pass(4000)
  load.resolve('one')
  await asked
  pass(5999)
  expect(definition.peek(7)).toBe('one')
  pass(1)
  expect(definition.peek(7)).toBeUndefined()
})

test('a load that an eviction overtakes answers those before it and nobody after', async () => {
  const { definition, next } = outside()
  const before = definition.get(7)
  const first = await next()
  await definition.evict(7)
  const after = definition.get(7)
  const second = await next()
  second.resolve('new')
  first.resolve('old')
  expect([await before, await after, await definition.get(7)]).toEqual(['old', 'new', 'new'])
})

test('a failed load fails those who wait for it, and the next look-up tries again', async () => {
  const { definition, next } = outside()
  const asked = [definition.get(7), definition.get(7)]
  ;(await next()).reject(new Error('the exchange is closed'))
  for (const each of asked)
    await expect(each).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringContaining('"rate": key 7: the exchange is closed'),
    })
  const again = definition.get(7)
  ;(await next()).resolve('one')
  expect(await again).toBe('one')
})

test('values are frozen to the bottom', async () => {
  const { definition, next } = outside()
  const asked = definition.get(7)
  ;(await next()).resolve({ list: [{ deep: true }] })
  const value = (await asked) as { list: { deep: boolean }[] }
  expect(() => value.list.push({ deep: false })).toThrow(TypeError)
  expect(Object.isFrozen(value.list[0])).toBe(true)
})

test('it holds no more than max values', async () => {
  const { definition, runtime, next } = outside({ max: 10 })
  const asked = definition.getMany(Array.from({ length: 64 }, (_, i) => i))
  for (let i = 0; i < 64; i += 1) (await next()).resolve('one')
  expect((await asked).length).toBe(64)
  expect(runtime.stats()).toMatchObject({ entries: 10, evictions: 54 })
})

test('changes of the log mean nothing to a cache that follows no table', async () => {
  const { definition, runtime, next } = outside()
  const asked = definition.get(7)
  ;(await next()).resolve('one')
  await asked
  runtime.suspend()
  runtime.invalidate([{ change: { op: 'truncate', key: '', before: null }, xid: '9', position: 1 }])
  expect(definition.peek(7)).toBe('one')
})

test('closing fails what waits, waits for what is under way, and refuses more', async () => {
  const { definition, runtime, next } = outside()
  const sent = definition.get(1)
  const load = await next()
  const waiting = definition.get(2)
  let closed = false
  const closing = runtime.close().then(() => {
    closed = true
  })
  await expect(waiting).rejects.toMatchObject({ code: 'APP_NOT_RUNNING' })
  await turn()
  expect(closed).toBe(false)
  load.resolve('one')
  await closing
  expect(await sent).toBe('one')
  await expect(definition.get(3)).rejects.toMatchObject({ code: 'APP_NOT_RUNNING' })
})

test('a declaration that cannot work is refused at once', () => {
  expect(() => cache('Film!', { ttl: '1m', load: () => 1 })).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  expect(() => cache('film', { ttl: 'soon', load: () => 1 })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  )
  expect(() => cache('film', { max: 0, ttl: '1m', load: () => 1 })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  )
  // @ts-expect-error neither `from` nor `load`
  expect(() => cache('film', { ttl: '1m' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  // @ts-expect-error a value from outside needs an end
  expect(cache('film', { load: () => 1 }).kind).toBe('cache')
  // @ts-expect-error no such option
  expect(() => cache('film', { load: () => 1, ttl: '1m', tll: 3 })).toThrow(
    expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
  )
})

test('a cache that no app runs says so', () => {
  const film = cache('film', { load: () => 1, ttl: '1m' })
  expect(() => film.get(1)).toThrow(expect.objectContaining({ code: 'APP_NOT_RUNNING' }))
})
