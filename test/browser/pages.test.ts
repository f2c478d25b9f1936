import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeServer, startFakeServer } from '../../console/dev/fake-server.ts'
import { violations } from './_axe.ts'
import { describeInBrowser, openPage, until } from './_browser.ts'

const pages = [
  { path: '/', title: 'Overview' },
  { path: '/map', title: 'Map' },
  { path: '/map?sel=table:films', title: 'Map' },
  { path: '/events', title: 'Events' },
  { path: '/events?type=order.*&sel=48204', title: 'Events' },
  { path: '/e/48206', title: 'Event 48206' },
  { path: '/consumers?sel=consumer:receipts', title: 'Consumers' },
  { path: '/failed', title: 'Failed' },
  { path: '/journey', title: 'Journey' },
  { path: '/j/48204', title: 'Journey 48204' },
  { path: '/nowhere', title: 'Not found' },
]

describeInBrowser('every page', (browser) => {
  let busy: FakeServer
  let trouble: FakeServer
  let empty: FakeServer
  let locked: FakeServer
  beforeAll(async () => {
    busy = await startFakeServer()
    trouble = await startFakeServer({ scenario: 'trouble', environment: 'production' })
    empty = await startFakeServer({ scenario: 'empty' })
    locked = await startFakeServer({ locked: true })
  })
  afterAll(async () => {
    await Promise.all([busy, trouble, empty, locked].map((server) => server.close()))
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test.each(pages)(`is accessible in ${colorScheme}: $path`, async ({ path, title }) => {
      const server = path === '/' || path.startsWith('/consumers') || path.startsWith('/j/') ? trouble : busy
      await using view = await openPage(browser(), { colorScheme })
      await view.page.goto(`${server.url}/_${path}`)
      await until(view.page, `document.title.endsWith(' · ${title}')`)
      await settled(view.page)
      expect(await violations(view.page)).toEqual([])
      expect(await view.page.locator('h1').count()).toBe(1)
      expect(view.errors).toEqual([])
    })

    test(`is accessible in ${colorScheme}: dialogs, an empty app, a narrow window, the way to sign in`, async () => {
      await using view = await openPage(browser(), { colorScheme })
      const { page } = view
      await page.goto(`${empty.url}/_/`)
      await page.getByText('Make something happen').waitFor()
      expect(await violations(page)).toEqual([])

      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Jump to' }).waitFor()
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      await page.getByRole('heading', { name: 'Keyboard', exact: true }).waitFor()
      expect(await violations(page)).toEqual([])

      await page.setViewportSize({ width: 900, height: 800 })
      await page.goto(`${busy.url}/_/events?sel=48204`)
      await page.getByRole('complementary').getByText('receipts').waitFor()
      expect(await violations(page)).toEqual([])

      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Publish…' }).click()
      await page.getByRole('textbox', { name: 'Data as JSON' }).waitFor()
      expect(await violations(page)).toEqual([])

      await page.goto(`${locked.url}/_/`)
      await page.getByRole('heading', { name: 'This console is signed in by a link' }).waitFor()
      expect(await violations(page)).toEqual([])
    })
  }

  test('says which app and environment the tab acts on', async () => {
    await using view = await openPage(browser())
    await view.page.goto(`${busy.url}/_/events`)
    await until(view.page, `document.title === '[dev] film-shop · Events'`)
    const dev = await bandColor(view.page)
    await view.page.goto(`${trouble.url}/_/events`)
    await until(view.page, `document.title === '[prod] film-shop · Events'`)
    expect(await bandColor(view.page)).not.toBe(dev)
  })

  test('keeps a chosen theme', async () => {
    await using view = await openPage(browser(), { colorScheme: 'light' })
    const { page } = view
    await page.goto(`${busy.url}/_/`)
    const scheme = (): Promise<unknown> => page.evaluate(`getComputedStyle(document.documentElement).colorScheme`)
    await page.getByRole('button', { name: /^Theme/ }).click()
    await page.getByRole('button', { name: /^Theme: light/ }).click()
    expect(await scheme()).toBe('dark')
    await page.reload()
    await page.getByRole('button', { name: /^Theme: dark/ }).waitFor()
    expect(await scheme()).toBe('dark')
  })

  test('loads nothing from elsewhere, and at most 150 kB of script at first', async () => {
    await using view = await openPage(browser())
    const scripts = new Map<string, number>()
    view.page.on('response', async (response) => {
      expect(response.url()).toMatch(/^(http:\/\/127\.0\.0\.1|data:)/)
      if (response.request().resourceType() !== 'script') return
      scripts.set(response.url(), gzipSync(await response.body()).length)
    })
    await view.page.goto(`${busy.url}/_/`)
    await view.page.getByRole('heading', { name: 'Latest in the log' }).waitFor()
    await settled(view.page)
    const first = [...scripts].filter(([url]) => !url.includes('/rates-chart'))
    expect(first.filter(([url]) => /map-page|palette/.test(url))).toEqual([])
    expect(first.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(150_000)
  })
})

async function settled(page: Page): Promise<void> {
  await page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
  await until(page, `document.querySelector('.skeleton') === null`)
}

async function bandColor(page: Page): Promise<unknown> {
  return await page.evaluate(`getComputedStyle(document.querySelector('header')).backgroundColor`)
}
