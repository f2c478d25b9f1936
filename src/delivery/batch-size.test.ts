import { expect, test } from 'vitest'
import { BatchSize } from './batch-size.ts'

test('large events make batches small at once, small ones let them grow again', () => {
  const batch = new BatchSize()
  for (let i = 0; i < 5; i += 1) batch.took(1)
  expect(batch.size).toBe(1000)
  const megabyte = 1024 * 1024
  batch.saw(100, 100 * megabyte)
  expect(batch.size).toBe(16)
  batch.saw(16, 160 * megabyte)
  expect(batch.size).toBe(1)
  batch.saw(1, 100)
  expect(batch.size).toBe(1000)
})

test('slow batches shrink to a single one', () => {
  const batch = new BatchSize()
  for (let i = 0; i < 20; i += 1) batch.took(1000)
  expect(batch.size).toBe(1)
})
