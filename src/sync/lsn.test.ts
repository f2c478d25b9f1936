import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatLsn, parseLsn, widenXid } from './lsn.ts'

test('a position is written as Postgres writes it', () => {
  expect(formatLsn(0x16_b374d848n)).toBe('16/B374D848')
  expect(parseLsn('0/16B3748')).toBe(0x16b3748n)
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (lsn) => parseLsn(formatLsn(lsn)) === lsn))
})

test('a short transaction id becomes the full one nearby, before and after an epoch changes', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 45), fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), (near, distance) => {
      const full = near + distance
      fc.pre(full >= 0)
      expect(widenXid(full % 2 ** 32, near)).toBe(full)
    }),
  )
})
