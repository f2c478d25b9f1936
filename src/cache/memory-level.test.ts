import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { MemoryLevel } from './memory-level.ts'

const forever = { snapshot: undefined, expiresAt: Number.POSITIVE_INFINITY }

function levelOf(max: number, keys: string): MemoryLevel<string> {
  const level = new MemoryLevel<string>({ max, clock: systemClock })
  for (const key of keys) level.set(key, { value: key, ...forever })
  return level
}

const held = (level: MemoryLevel<string>, keys: string): string =>
  [...keys].filter((key) => level.look(key) !== undefined).join('')

test('the oldest entry that nobody asked for goes first', () => {
  const level = levelOf(3, 'abc')
  level.get('a')
  expect(level.set('d', { value: 'd', ...forever })).toBe(true)
  expect(held(level, 'abcd')).toBe('acd')
  // The hand stands behind b now: c goes before a, although a was spared only once.
  level.set('e', { value: 'e', ...forever })
  expect(held(level, 'acde')).toBe('ade')
})

test('a scan over many keys leaves what is in use', () => {
  const level = levelOf(100, '')
  const hot = Array.from({ length: 50 }, (_, i) => `hot-${i}`)
  for (const key of hot) level.set(key, { value: key, ...forever })
  for (let i = 0; i < 10_000; i += 1) {
    if (i % 25 === 0) for (const key of hot) level.get(key)
    level.set(`scan-${i}`, { value: '', ...forever })
  }
  expect(hot.every((key) => level.look(key) !== undefined)).toBe(true)
  expect(level.size).toBe(100)
})

test('an entry is a miss from the moment its time is over', () => {
  let nowMs = 1000
  const level = new MemoryLevel<string>({ max: 3, clock: { now: () => nowMs, sleep: async () => {} } })
  level.set('a', { value: 'a', snapshot: undefined, expiresAt: 1500 })
  nowMs = 1499
  expect(level.get('a')?.value).toBe('a')
  nowMs = 1500
  expect(level.get('a')).toBeUndefined()
  expect(level.size).toBe(0)
})

test('whatever is set, asked for and deleted, it evicts as SIEVE does', () => {
  const operation = fc.tuple(fc.constantFrom('set', 'get', 'delete', 'clear'), fc.nat(7).map(String))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const level = new MemoryLevel<string>({ max: 4, clock: systemClock })
      const sieve = new PlainSieve(4)
      for (const [kind, key] of operations) {
        if (kind === 'set') level.set(key, { value: key, ...forever })
        else if (kind === 'get') expect(level.get(key)?.value).toBe(sieve.has(key) ? key : undefined)
        else if (kind === 'delete') level.delete(key)
        else if (key === '0') level.clear()
        sieve.do(kind, key)
        expect(held(level, '01234567')).toBe([...'01234567'].filter((each) => sieve.has(each)).join(''))
      }
    }),
    { numRuns: 500 },
  )
})

/** SIEVE on a list, oldest first: slow, and plain to see. */
class PlainSieve {
  readonly #max: number
  #list: { key: string; visited: boolean }[] = []
  #hand = 0

  constructor(max: number) {
    this.#max = max
  }

  has(key: string): boolean {
    return this.#list.some((entry) => entry.key === key)
  }

  do(kind: string, key: string): void {
    const entry = this.#list.find((each) => each.key === key)
    if (kind === 'get' && entry !== undefined) entry.visited = true
    if (kind === 'delete' && entry !== undefined) this.#remove(this.#list.indexOf(entry))
    if (kind === 'clear' && key === '0') [this.#list, this.#hand] = [[], 0]
    if (kind !== 'set') return
    if (entry !== undefined) this.#remove(this.#list.indexOf(entry))
    if (this.#list.length === this.#max) this.#evict()
    this.#list.push({ key, visited: entry?.visited ?? false })
  }

  #evict(): void {
    let entry = this.#list[this.#hand]
    while (entry?.visited === true) {
      entry.visited = false
      this.#hand = (this.#hand + 1) % this.#list.length
      entry = this.#list[this.#hand]
    }
    this.#remove(this.#hand)
  }

  #remove(index: number): void {
    this.#list.splice(index, 1)
    if (this.#hand > index) this.#hand -= 1
    if (this.#hand >= this.#list.length) this.#hand = 0
  }
}
