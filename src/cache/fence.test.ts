import { expect, test } from 'vitest'
import { Fence } from './fence.ts'
import { parseSnapshot, sees } from './snapshot.ts'

const snapshot = parseSnapshot

test('a snapshot sees what was finished when it was taken', () => {
  const taken = snapshot('10:20:10,14')
  expect([9, 10, 11, 14, 19, 20, 21].filter((xid) => sees(taken, xid))).toEqual([9, 11, 19])
  expect(sees(snapshot('4294967300:4294967300:'), 4294967299)).toBe(true)
})

test('a load is believed when it saw the newest change of its key', () => {
  const fence = new Fence()
  fence.changed('a', 12)
  const required = fence.required('a')
  expect(fence.admits(snapshot('10:20:12'), required, fence.floor)).toBe(false)
  expect(fence.admits(snapshot('10:12:'), required, fence.floor)).toBe(false)
  expect(fence.admits(snapshot('10:20:11'), required, fence.floor)).toBe(true)
  expect(fence.required('b')).toBeUndefined()
})

test('a change of all rows binds every key', () => {
  const fence = new Fence()
  fence.changedAll(12)
  expect(fence.admits(snapshot('10:20:12'), fence.required('a'), fence.floor)).toBe(false)
  expect(fence.admits(snapshot('10:20:11'), fence.required('a'), fence.floor)).toBe(true)
})

test('what a snapshot has seen is forgotten, the rest stays', () => {
  const fence = new Fence(4)
  for (let xid = 1; xid <= 6; xid += 1) fence.changed(`key-${xid}`, xid)
  expect(fence.crowded).toBe(true)
  fence.seen(snapshot('3:7:3'))
  expect(fence.crowded).toBe(false)
  expect(fence.required('key-2')).toBeUndefined()
  expect(fence.required('key-3')).toBe(3)
})

test('too many keys leave their transactions, which then bind every key', () => {
  const fence = new Fence(4)
  for (let i = 0; i < 1000; i += 1) fence.changed(`key-${i}`, 50 + (i % 2))
  expect(fence.required('key-0')).toBeUndefined()
  expect(fence.floor).toEqual({ xids: [50, 51], below: 0 })
  // A transaction that runs on and on is none of theirs and hinders nobody.
  expect(fence.admits(snapshot('1:60:1'), undefined, fence.floor)).toBe(true)
  expect(fence.admits(snapshot('1:60:1,51'), undefined, fence.floor)).toBe(false)
})

test('too many transactions leave a bound that lifts once all before it have finished', () => {
  const fence = new Fence(4)
  for (let xid = 1; xid <= 100; xid += 1) fence.changed(`key-${xid}`, xid)
  const { below } = fence.floor
  expect(below).toBeGreaterThan(80)
  expect(fence.admits(snapshot(`${below}:200:${below}`), undefined, fence.floor)).toBe(false)
  expect(fence.admits(snapshot('200:200:'), undefined, fence.floor)).toBe(true)
  fence.seen(snapshot('200:200:'))
  expect(fence.floor).toEqual({ xids: [], below: 0 })
  expect(fence.crowded).toBe(false)
})
