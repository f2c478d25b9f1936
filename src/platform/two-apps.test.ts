import { afterAll, beforeAll, expect, test } from 'vitest'
import { cache } from '../cache/cache-definition.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { route } from '../gateway/route.ts'
import { t } from '../kernel/schema.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { app } from './app-definition.ts'

const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
const asked = event('asked', { film: t.int() })
const film = cache('film', { from: films })
const answers = table('answers', { title: t.string() }, { key: 'title' })
const answer = on('answer', asked, async ({ data, sql }) => {
  await sql`insert into answers values (${(await film.get(data.film))?.title ?? 'none'})`
})
const look = route('GET /films/:id', { params: { id: t.int() } }, ({ params }) => film.get(params.id))
const shop = app('shop', [film, answer, look, answers])

let left: TestApp
let right: TestApp
beforeAll(async () => {
  await expect(async () => film.get(1)).rejects.toMatchObject({ code: 'APP_NOT_RUNNING' })
  expect(() => film.peek(1)).toThrow(expect.objectContaining({ code: 'APP_NOT_RUNNING' }))
  ;[left, right] = await Promise.all([testApp(shop, { http: true }), testApp(shop, { http: true })])
  await left.sql`insert into films values (1, 'left')`
  await right.sql`insert into films values (1, 'right')`
  await Promise.all([left.settled(), right.settled()])
})
afterAll(async () => {
  await left?.stop()
  await right?.stop()
})

test('code of an app finds the parts of that app', async () => {
  expect(await left.within(() => film.get(1))).toMatchObject({ title: 'left' })
  expect(await right.within(() => film.get(1))).toMatchObject({ title: 'right' })
})

test('so do its handlers and its routes', async () => {
  for (const [running, title] of [
    [left, 'left'],
    [right, 'right'],
  ] as const) {
    expect(await (await fetch(`${running.url}/films/1`)).json()).toMatchObject({ title })
    await running.publish(asked, { film: 1 })
    await running.settled()
    expect(await running.sql`select title from answers`).toEqual([{ title }])
  }
})

test('code of neither is told to say which', async () => {
  await expect(async () => film.get(1)).rejects.toMatchObject({ code: 'APP_AMBIGUOUS' })
})

test('when one has stopped, the other is the only one there is', async () => {
  await left.stop()
  expect(await film.get(1)).toMatchObject({ title: 'right' })
})
