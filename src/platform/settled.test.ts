import { expect, test } from 'vitest'
import { cache } from '../cache/cache-definition.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { testApp } from '../testing/test-app.ts'
import { app } from './app-definition.ts'

const ping = event('ping', { n: t.int() }, { key: 'n' })

test('settled waits for what handlers set off only as far as it was committed before', async () => {
  let seen = 0
  await using shop = await testApp(
    app('shop', [
      on('counter', ping, () => {
        seen += 1
      }),
    ]),
  )
  for (let n = 0; n < 50; n += 1) await shop.publish(ping, { n })
  await shop.settled()
  expect(seen).toBe(50)
})

test('who lags is named', async () => {
  let release: () => void = () => {}
  const stuck = new Promise<void>((resolve) => {
    release = resolve
  })
  await using shop = await testApp(app('shop', [on('quick', ping, () => {}), on('sluggish', ping, () => stuck)]))
  await shop.publish(ping, { n: 1 })
  await expect(shop.settled(300)).rejects.toMatchObject({
    code: 'HANDLER_TIMEOUT',
    message: 'not settled after 300 ms: sluggish has not reached 1',
  })
  release()
  await shop.settled()
})

test('what waits for a retry does not keep it waiting', async () => {
  await using shop = await testApp(
    app('shop', [
      on('flaky', ping, { backoff: { first: '1h', max: '1h' } }, () => {
        throw new Error('not today')
      }),
    ]),
  )
  await shop.publish(ping, { n: 1 })
  await shop.settled()
  expect(await shop.operate('consumers', {})).toMatchObject([{ name: 'flaky', retrying: 1 }])
})

test('a change made by anybody is in the cache once it is settled, every time', async () => {
  const films = table('films', { id: t.int(), stock: t.int() }, { key: 'id' })
  const film = cache('film', { from: films })
  await using shop = await testApp(app('shop', [film]))
  await shop.sql`insert into films values (1, 0)`
  for (let stock = 1; stock <= 50; stock += 1) {
    await shop.sql`update films set stock = ${stock} where id = 1`
    await shop.settled()
    expect(await film.get(1)).toEqual({ id: 1, stock })
  }
})
