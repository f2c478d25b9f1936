import { expect, test } from 'vitest'
import { Claimer } from './claimer.ts'
import type { Level, Run } from './runs.ts'

const wants = [{ queue: 'q', count: 10, perLane: null }]
const run = (priority: number, at: string): Run => ({
  id: at,
  queue: 'q',
  priority,
  runAt: at,
  attempt: 1,
  lane: null,
  uniqueKey: null,
  data: '{}',
  meta: null,
  addedAt: at,
})
const slowly = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('claims that take long go on from where it stands, and begin at the beginning now and then', async () => {
  const asked: (readonly Level[] | undefined)[] = []
  const claimer = new Claimer(async (_, levels) => {
    asked.push(levels)
    if (levels === undefined) await slowly(30)
    return [run(0, '2026-05-04T12:00:10.000Z'), run(5, '2026-05-04T12:00:20.000Z')]
  })
  await claimer.claim(wants)
  expect(claimer.hampered).toBe(false)
  for (let i = 0; i < 3; i += 1) await claimer.claim(wants)
  expect(claimer.hampered).toBe(true)
  expect(asked).toEqual([
    undefined,
    undefined,
    undefined,
    [
      { queue: 'q', priority: 5, from: new Date('2026-05-04T12:00:19.000Z') },
      { queue: 'q', priority: 0, from: new Date('2026-05-04T12:00:09.000Z') },
    ],
  ])
  await slowly(700)
  await claimer.claim(wants)
  expect(asked[4]).toBeUndefined()
})

test('a quick one always begins at the beginning, one with lanes too', async () => {
  const asked: (readonly Level[] | undefined)[] = []
  let ms = 0
  const claimer = new Claimer(async (_, levels) => {
    asked.push(levels)
    await slowly(ms)
    return [run(0, '2026-05-04T12:00:10.000Z')]
  })
  for (let i = 0; i < 3; i += 1) await claimer.claim(wants)
  ms = 30
  for (let i = 0; i < 5; i += 1) await claimer.claim([{ queue: 'q', count: 10, perLane: 1 }])
  expect(asked.every((levels) => levels === undefined)).toBe(true)
})
