import { expect, test } from 'vitest'
import { withoutSecrets } from './output.ts'

test.each([
  [
    'connect to postgres://millrace:s3cret@127.0.0.1:5432/shop failed',
    'connect to postgres://millrace:***@127.0.0.1:5432/shop failed',
  ],
  ['postgres://:s3cret@host/shop', 'postgres://:***@host/shop'],
  ['postgres://u:p%40ss:word@host', 'postgres://u:***@host'],
  ['http://127.0.0.1:4400/a@b', 'http://127.0.0.1:4400/a@b'],
  ['redis://user@host:6379', 'redis://user@host:6379'],
])('%s is shown without its password', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown)
})
