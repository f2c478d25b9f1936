import { expect, test } from 'vitest'
import { changedColumns } from './change-diff.tsx'

test('an update tells its changed columns, with what they were', () => {
  const data = { op: 'update', row: { id: 1, price: 5, tags: ['a'] }, before: { id: 1, price: 7, tags: ['a'] } }
  expect(changedColumns(data)).toEqual([{ name: 'price', was: 7, is: 5 }])
})

test('without the row before, or for anything but an update, there is nothing to compare', () => {
  expect(changedColumns({ op: 'update', row: { id: 1 }, before: null })).toEqual([])
  expect(changedColumns({ op: 'insert', row: { id: 1 }, before: {} })).toEqual([])
  expect(changedColumns({ order: 'o-1' })).toEqual([])
  expect(changedColumns(null)).toEqual([])
})

test('a large column that the log does not carry did not change', () => {
  expect(
    changedColumns({ op: 'update', row: { id: 1 }, before: { id: 1, text: 'long' }, unchanged: ['text'] }),
  ).toEqual([])
})
