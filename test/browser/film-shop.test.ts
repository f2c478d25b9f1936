import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { violations } from './_axe.ts'
import { describeInBrowser, openPage, until } from './_browser.ts'
import { type FilmShop, startFilmShop } from './_film-shop.ts'

describeInBrowser('the console of the film shop', (browser) => {
  let shop: FilmShop
  beforeAll(async () => {
    shop = await startFilmShop()
  })
  afterAll(async () => await shop?.stop())

  test('asks a stranger to sign in, and lets in who has the link', async () => {
    await using view = await openPage(browser())
    await view.page.goto(`${shop.url}/_/events`)
    await view.page.getByRole('heading', { name: 'Sign in to the console' }).waitFor()
    await view.page.goto(shop.signIn)
    await until(view.page, `document.title === '[prod] film-shop · Overview'`)
    expect(view.page.url()).toBe(`${shop.url}/_/`)
  })

  test('shows a change of a film within a moment, and its journey through cache, index and log', async () => {
    await using view = await signedIn('events?type=change:films')
    const { page } = view
    const price = 100 + Math.floor(Math.random() * 100_000)
    await patch(1, { price })
    await page
      .getByRole('row', { name: new RegExp(`change:films .*price ${price}`) })
      .first()
      .click()
    const pane = page.getByRole('complementary')
    await pane.getByRole('row', { name: /^film done/ }).waitFor()
    await pane.getByRole('row', { name: /^catalog done/ }).waitFor()
    await pane.getByRole('link', { name: 'Journey' }).click()
    await page.getByRole('heading', { name: 'The way' }).waitFor()
    await page.getByText('from the commit to 2 followers, all done').waitFor()
    const stops = await page.getByRole('rowheader').allInnerTexts()
    expect(stops.map((stop) => stop.split('\n').at(-1)?.split(' ')[0])).toEqual(
      expect.arrayContaining(['change:films', 'capture', 'log', 'cache', 'index']),
    )
    expect(view.errors).toEqual([])
  })

  test('shows an order: its event, its receipt and what it set off', async () => {
    await using view = await signedIn('events?type=order.placed')
    const { page } = view
    const response = await fetch(`${shop.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ film: 2, quantity: 1 }),
    })
    const { order } = (await response.json()) as { order: string }
    await page.getByRole('row', { name: new RegExp(order) }).click()
    await page
      .getByRole('complementary')
      .getByRole('row', { name: /^receipts done/ })
      .waitFor()
    await page.getByRole('complementary').getByRole('heading', { name: 'JSON Schema' }).waitFor()
  })

  test('draws the declarations of the app', async () => {
    await using view = await signedIn('map')
    const map = view.page.locator('.react-flow')
    for (const name of ['films', 'orders', 'order.placed', 'film', 'catalog', 'receipts', 'GET /search']) {
      await map
        .getByRole('button', { name: new RegExp(`^${name.replaceAll('.', String.raw`\.`)}`) })
        .first()
        .waitFor()
    }
    expect(view.errors).toEqual([])
  })

  test('counts how far each follower is behind', async () => {
    await using view = await signedIn('consumers')
    for (const name of ['receipts', 'film', 'catalog']) {
      await view.page.getByRole('row', { name: new RegExp(`^${name} .*\\d`) }).waitFor()
    }
    expect(view.errors).toEqual([])
  })

  test.each(['', 'map', 'events', 'consumers', 'journey'])('is accessible with real data: /%s', async (path) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await using view = await signedIn(path, colorScheme)
      await until(view.page, `document.querySelector('.skeleton') === null`)
      expect(await violations(view.page)).toEqual([])
    }
  })

  async function signedIn(
    path: string,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<Awaited<ReturnType<typeof openPage>>> {
    const view = await openPage(browser(), { colorScheme })
    await view.page.goto(shop.signIn)
    await view.page.goto(`${shop.url}/_/${path}`)
    await live(view.page)
    return view
  }

  async function patch(film: number, change: object): Promise<void> {
    const response = await fetch(`${shop.url}/films/${film}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    })
    expect(response.status).toBe(200)
  }
})

async function live(page: Page): Promise<void> {
  await page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
}
