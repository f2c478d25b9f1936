import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeServer, startFakeServer } from '../../console/dev/fake-server.ts'
import { describeInBrowser, openPage } from './_browser.ts'

describeInBrowser('the journey of a change', (browser) => {
  let app: FakeServer
  let trouble: FakeServer
  beforeAll(async () => {
    app = await startFakeServer()
    trouble = await startFakeServer({ scenario: 'trouble' })
  })
  afterAll(async () => await Promise.all([app.close(), trouble.close()]))

  test('is picked from the changes, and shows each stop in order with its time', async () => {
    await using view = await openPage(browser())
    const { page } = view
    await page.goto(`${app.url}/_/journey`)
    await page.locator('[data-position="48210"]').click()
    await page.waitForURL('**/_/j/48210')
    await page.getByRole('heading', { name: 'The way' }).waitFor()
    const stops = await page.getByRole('rowheader').allInnerTexts()
    expect(stops.map((stop) => stop.split('\n')[0])).toEqual([
      'row committed',
      'read from the write-ahead log',
      'position given',
      'film',
      'catalog',
      'low-stock',
    ])
    const times = await page.locator('tbody td:nth-of-type(2)').allInnerTexts()
    expect(times).toHaveLength(6)
    for (const time of times) expect(time).toMatch(/^\+[\d.]+ ms$/)
    await page.getByText('from the commit to 3 followers, all done').waitFor()
  })

  test('draws bars to scale', async () => {
    await using view = await openPage(browser())
    const { page } = view
    const journey = app.world.journey(48_210)
    await page.goto(`${app.url}/_/j/48210`)
    await page.getByRole('heading', { name: 'The way' }).waitFor()
    const widths = (await page.evaluate(
      `[...document.querySelectorAll('[data-work="span"]')].map((bar) => bar.getBoundingClientRect().width)`,
    )) as number[]
    const tookMs = (name: string): number => journey?.hops.find((hop) => hop.name === name)?.tookMs ?? 0
    expect((widths[3] ?? 0) / (widths[4] ?? 1)).toBeCloseTo(tookMs('catalog') / tookMs('low-stock'), 0)
  })

  test('says what is stuck and why', async () => {
    await using view = await openPage(browser())
    const { page } = view
    await page.goto(`${trouble.url}/_/j/48204`)
    await page.getByText('0 of 1 follower done; receipts is retrying').waitFor()
    await page.getByText('attempt 3: The mail server refused the connection').waitFor()
  })

  test('says that there is none at a position that does not exist', async () => {
    await using view = await openPage(browser())
    await view.page.goto(`${app.url}/_/j/99999999`)
    await view.page.getByRole('alert').getByText('There is no journey at this position.').waitFor()
  })
})
