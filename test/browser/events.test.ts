import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeServer, startFakeServer } from '../../console/dev/fake-server.ts'
import { describeInBrowser, openPage, until } from './_browser.ts'

describeInBrowser('the events page', (browser) => {
  let app: FakeServer
  beforeAll(async () => {
    app = await startFakeServer()
  })
  afterAll(async () => await app.close())

  test('shows a new event on top', async () => {
    await using view = await openEvents()
    const position = publish('tail-me')
    await row(view.page, position).waitFor()
    expect(await firstRow(view.page)).toBe(position)
  })

  test('moves nothing while a row is selected: a pill counts what is new', async () => {
    await using view = await openEvents()
    const first = await firstRow(view.page)
    await row(view.page, first).click()
    await view.page.getByRole('complementary').waitFor()
    publish('one')
    const last = publish('two')
    await view.page.getByRole('button', { name: '2 new' }).waitFor()
    expect(await firstRow(view.page)).toBe(first)
    await view.page.getByRole('button', { name: '2 new' }).click()
    expect(await firstRow(view.page)).toBe(last)
  })

  test('keeps what is shown while it is paused', async () => {
    await using view = await openEvents()
    const first = await firstRow(view.page)
    await view.page.keyboard.press('\\')
    const position = publish('while paused')
    await view.page.getByRole('button', { name: '1 new' }).waitFor()
    expect(await firstRow(view.page)).toBe(first)
    await view.page.keyboard.press('\\')
    await row(view.page, position).waitFor()
  })

  test('stays where it is scrolled, and pages back through the log', async () => {
    await using view = await openEvents()
    const { page } = view
    const head = await firstRow(page)
    const table = `document.querySelector('table[aria-label="Events"]')`
    await page.evaluate(`${table}.parentElement.scrollTo(0, 99_999)`)
    await until(page, `${table}.clientHeight > 5_000`)
    await page.evaluate(`${table}.parentElement.scrollTo(0, 4_000)`)
    await row(page, head - 150).waitFor()
    const shown = await firstRow(page)
    publish('far above')
    await page.getByRole('button', { name: '1 new' }).waitFor()
    expect(await firstRow(page)).toBe(shown)
    await row(page, head - 150).click()
    await page.getByRole('complementary').getByRole('link', { name: 'Full page' }).click()
    await page.waitForURL('**/_/e/*')
    await page.goBack()
    await row(page, head - 150).waitFor()
  })

  test('keeps its filters in the address, over a reload and Back', async () => {
    await using view = await openEvents()
    const { page } = view
    const box = page.getByRole('combobox', { name: 'Filter events' })
    await box.fill('type:order.placed key:7')
    await box.press('Enter')
    await page.waitForURL('**/_/events?type=order.placed&key=7')
    await onlyType(page, 'order.placed')
    await page.reload()
    expect(await box.inputValue()).toBe('type:order.placed key:7')
    await onlyType(page, 'order.placed')
    await page.getByRole('link', { name: 'change:films', exact: true }).click()
    await page.waitForURL('**/_/events?type=change:films&key=7')
    await onlyType(page, 'change:films')
    await page.goBack()
    await page.waitForURL('**/_/events?type=order.placed&key=7')
    await onlyType(page, 'order.placed')
    expect(await box.inputValue()).toBe('type:order.placed key:7')
  })

  test('lets through only what the filter matches', async () => {
    await using view = await openEvents('?text=needle')
    await view.page.getByText('No event matches').waitFor()
    publish('haystack')
    const position = publish('needle')
    await row(view.page, position).waitFor()
    expect(await view.page.locator('[data-position]').count()).toBe(1)
  })

  test('completes the types of the app', async () => {
    await using view = await openEvents()
    const { page } = view
    await page.keyboard.press('/')
    await page.keyboard.type('low')
    await page.getByRole('option', { name: 'stock.low' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/_/events?type=stock.low')
  })

  test('shows data, schema, deliveries and what was set off', async () => {
    await using view = await openEvents('?sel=48204')
    const pane = view.page.getByRole('complementary')
    await pane.getByRole('heading', { name: 'Deliveries' }).waitFor()
    await pane.getByRole('row', { name: /^receipts done/ }).waitFor()
    await pane.getByRole('heading', { name: 'JSON Schema' }).waitFor()
    await pane.getByText('o-22051').waitFor()
    // A change of the stock that set off a warning.
    await view.page.goto(`${app.url}/_/e/48193`)
    await view.page.getByRole('heading', { name: 'Set off' }).waitFor()
    await view.page.getByRole('link', { name: 'stock.low' }).waitFor()
    await view.page.getByRole('heading', { name: 'Changed' }).waitFor()
  })

  test('says when the line is down, and catches up when it is back', async () => {
    const own = await startFakeServer()
    await using view = await openPage(browser())
    const { page } = view
    await page.goto(`${own.url}/_/events`)
    await page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
    await own.close()
    await page.getByRole('status', { name: 'Live stream: Reconnecting…' }).waitFor()
    const again = await startFakeServer({ port: Number(new URL(own.url).port) })
    const { position } = again.world.append({ type: 'order.placed', key: '1', data: { order: 'while away' } })
    await page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
    await row(page, position).waitFor()
    await again.close()
  })

  test('holds one stream for the whole tab, and none while the tab is hidden', async () => {
    await using view = await openEvents('?type=order.*')
    const { page } = view
    const streams = (): string[] => [...app.streams].map((stream) => stream.replace(/^\d+ /, ''))
    expect(streams()).toEqual(['?topics=events,overview&type=order.*'.replaceAll(',', '%2C')])
    await page.getByRole('link', { name: 'Consumers' }).click()
    await page.getByRole('rowheader', { name: 'receipts' }).waitFor()
    await expect.poll(streams).toEqual(['?topics=consumers%2Coverview'])
    await hide(page, true)
    await page.getByRole('status', { name: 'Live stream: Resting' }).waitFor()
    await expect.poll(streams).toEqual([])
    await hide(page, false)
    await page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
  })

  test('publishes an event by hand, starting from a sample', async () => {
    await using view = await openEvents()
    const { page } = view
    await page.getByRole('button', { name: 'Publish…' }).click()
    const data = page.getByRole('textbox', { name: 'Data as JSON' })
    await data.and(page.getByText('"quantity": 1')).waitFor()
    await data.fill('{"order":')
    expect(await page.getByRole('button', { name: 'Publish', exact: true }).isDisabled()).toBe(true)
    await data.fill('{"order":"by hand"}')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await page.getByText('Published order.placed').waitFor()
    await page.getByRole('cell', { name: 'by hand' }).waitFor()
  })

  async function openEvents(search = ''): Promise<Awaited<ReturnType<typeof openPage>>> {
    const view = await openPage(browser())
    await view.page.goto(`${app.url}/_/events${search}`)
    await view.page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
    await view.page.locator('[data-position], p:has-text("No event matches")').first().waitFor()
    return view
  }

  function publish(order: string): number {
    return app.world.append({ type: 'order.placed', key: '1', data: { order } }).position
  }
})

function row(page: Page, position: number): ReturnType<Page['locator']> {
  return page.locator(`[data-position="${position}"]`)
}

/** The position of the first row that is in view. */
async function firstRow(page: Page): Promise<number> {
  const position = await page.evaluate(`(() => {
    const list = document.querySelector('table[aria-label="Events"]').parentElement.getBoundingClientRect()
    const rows = [...document.querySelectorAll('[data-position]')]
    const row = rows.find((each) => each.closest('tr').getBoundingClientRect().top >= list.top + 20)
    return Number(row.dataset.position)
  })()`)
  return Number(position)
}

async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  `)
}

async function onlyType(page: Page, type: string): Promise<void> {
  await until(
    page,
    `(() => {
    const types = [...document.querySelectorAll('tr:has([data-position]) td:nth-of-type(2)')]
    return types.length > 3 && types.every((cell) => cell.textContent === '${type}')
  })()`,
  )
}
