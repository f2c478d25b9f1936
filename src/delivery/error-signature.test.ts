import { expect, test } from 'vitest'
import { commonMessage, errorSignature } from './error-signature.ts'
import { withoutSecrets } from './stored-error.ts'

test.each([
  ["Cannot read properties of undefined (reading 'title')", 'Cannot read properties of undefined (reading ‹text›)'],
  ['order 4711 costs 12.50, not -3', 'order ‹n› costs ‹n›, not ‹n›'],
  ['no event 0197f2d4-5c1e-7d2a-9f00-0123456789ab', 'no event ‹id›'],
  ['object 64b7f0c2a1d3e4f5 is gone', 'object ‹id› is gone'],
  ['late since 2026-07-01T12:00:00.123Z', 'late since ‹time›'],
  [
    'duplicate key value violates unique constraint "films_pkey"',
    'duplicate key value violates unique constraint ‹text›',
  ],
  ["it can't be that it doesn't know", "it can't be that it doesn't know"],
  ['Unexpected token } in JSON at position 17\n  line two', 'Unexpected token } in JSON at position ‹n› line two'],
])('%s', (message, common) => {
  expect(commonMessage(message)).toBe(common)
})

test('failures alike have one signature; consumer, type, code and words tell them apart', () => {
  const of = (consumer: string, type: string, code: string, message: string): string =>
    errorSignature(consumer, type, { code, message })
  const one = of('ship', 'order', 'TypeError', 'no parcel 1')
  expect(of('ship', 'order', 'TypeError', 'no parcel 27')).toBe(one)
  expect(one).toMatch(/^[0-9a-f]{12}$/)
  const others = [
    of('pay', 'order', 'TypeError', 'no parcel 1'),
    of('ship', 'parcel', 'TypeError', 'no parcel 1'),
    of('ship', 'order', 'Error', 'no parcel 1'),
    of('ship', 'order', 'TypeError', 'no letter 1'),
  ]
  expect(new Set([one, ...others]).size).toBe(5)
})

test.each([
  ['postgres://app:hunter2@db:5432/shop', 'postgres://app:***@db:5432/shop'],
  ['Authorization: Bearer abc.def-0123', 'Authorization: Bearer ***'],
  ['{"apiKey":"k-123","n":1}', '{"apiKey":***,"n":1}'],
  ['client_secret=abc&grant=x', 'client_secret=***&grant=x'],
  ['password: swordfish, user: ann', 'password: ***, user: ann'],
  ['bad key sk_live_abcdef123456', 'bad key ***'],
  ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is old', 'jwt *** is old'],
  ['the token has expired; the secretary knows', 'the token has expired; the secretary knows'],
])('%s holds no secret any more', (text, clean) => {
  expect(withoutSecrets(text)).toBe(clean)
})
