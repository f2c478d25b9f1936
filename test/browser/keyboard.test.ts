import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeServer, startFakeServer } from '../../console/dev/fake-server.ts'
import { describeInBrowser, openPage, until } from './_browser.ts'

describeInBrowser('a reader without a mouse', (browser) => {
  let app: FakeServer
  beforeAll(async () => {
    app = await startFakeServer()
  })
  afterAll(async () => await app.close())

  test('starts with the link that skips to the content', async () => {
    await using view = await open('/')
    await view.page.keyboard.press('Tab')
    expect(await focused(view.page)).toBe('Skip to the content')
    await view.page.keyboard.press('Enter')
    expect(await view.page.evaluate(`document.activeElement.id`)).toBe('main')
  })

  test('goes from page to page, and the focus arrives at the title', async () => {
    await using view = await open('/')
    const { page } = view
    for (const [keys, title] of [
      ['g m', 'Map'],
      ['g e', 'Events'],
      ['g c', 'Consumers'],
      ['g j', 'Journey'],
      ['g o', 'Overview'],
    ] as const) {
      for (const key of keys.split(' ')) await page.keyboard.press(key)
      await until(page, `document.title.endsWith(' · ${title}') && document.activeElement.tagName === 'H1'`)
      expect(await focused(page)).toBe(title)
    }
  })

  test('walks the events, opens one, reads on, and comes back to the row', async () => {
    await using view = await open('/events')
    const { page } = view
    await page.keyboard.press('j')
    const first = await focusedPosition(page)
    await page.keyboard.press('j')
    await focusOn(page, first - 1)
    await page.keyboard.press('k')
    await focusOn(page, first)

    await page.keyboard.press('Enter')
    await page.waitForURL(`**/_/events?sel=${first}`)
    await page.getByRole('complementary').waitFor()
    await page.keyboard.press(']')
    await page.waitForURL(`**/_/events?sel=${first - 1}`)
    await page.keyboard.press('Escape')
    await page.waitForURL('**/_/events')
    await focusOn(page, first - 1)

    await page.keyboard.press('Enter')
    await page.getByRole('complementary').waitFor()
    await page.keyboard.press('o')
    await until(page, `document.title.endsWith(' · Event ${first - 1}')`)
    await page.keyboard.press('Escape')
    await page.waitForURL(`**/_/events?sel=${first - 1}`)
  })

  test('copies a position', async () => {
    await using view = await open('/events')
    await view.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await view.page.keyboard.press('j')
    const position = await focusedPosition(view.page)
    await view.page.keyboard.press('y')
    await view.page.getByText('Copied position').waitFor()
    expect(await view.page.evaluate('navigator.clipboard.readText()')).toBe(String(position))
  })

  test('jumps anywhere with the palette', async () => {
    await using view = await open('/')
    const { page } = view
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Jump to' }).fill('48207')
    await page.getByRole('option', { name: 'Journey of 48207' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/_/j/48207')

    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Jump to' }).fill('receipts')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/_/consumers?sel=consumer:receipts')
    await page.getByRole('complementary', { name: 'consumer receipts' }).waitFor()
  })

  test('types letters into a field without setting anything off', async () => {
    await using view = await open('/events')
    const { page } = view
    await page.keyboard.press('/')
    await page.keyboard.type('gm?jk')
    expect(await page.getByRole('combobox', { name: 'Filter events' }).inputValue()).toBe('gm?jk')
    expect(page.url()).toMatch(/\/_\/events$/)
  })

  test('can turn the single keys off', async () => {
    await using view = await open('/')
    const { page } = view
    await page.keyboard.press('?')
    await page.getByRole('checkbox').uncheck()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Keyboard', exact: true }).waitFor({ state: 'detached' })
    await page.keyboard.press('?')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Jump to' }).waitFor()
    expect(await page.getByRole('heading', { name: 'Keyboard', exact: true }).count()).toBe(0)
  })

  test('reaches every part of the map, and its details', async () => {
    await using view = await open('/map')
    const { page } = view
    const part = page.locator('.react-flow').getByRole('button', { name: /^films/ })
    await part.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/_/map?sel=table:films')
    await page.getByRole('complementary', { name: 'table films' }).getByText('low-stock').waitFor()
    await page.keyboard.press('Escape')
    await page.waitForURL('**/_/map')
    expect(await focused(page)).toMatch(/^films/)
  })

  test('draws the details wider with the arrow keys', async () => {
    await using view = await open('/events?sel=48204')
    const edge = view.page.getByRole('separator', { name: 'Width of the details' })
    await edge.focus()
    const before = Number(await edge.getAttribute('aria-valuenow'))
    await view.page.keyboard.press('ArrowLeft')
    expect(Number(await edge.getAttribute('aria-valuenow'))).toBe(before + 32)
  })

  async function open(path: string): Promise<Awaited<ReturnType<typeof openPage>>> {
    const view = await openPage(browser())
    await view.page.goto(`${app.url}/_${path}`)
    await view.page.getByRole('status', { name: 'Live stream: Live' }).waitFor()
    await until(view.page, `document.querySelector('.skeleton') === null`)
    return view
  }
})

async function focused(page: Page): Promise<string> {
  return String(await page.evaluate(`document.activeElement.textContent.trim()`))
}

async function focusedPosition(page: Page): Promise<number> {
  await until(page, `document.activeElement.dataset.position !== undefined`)
  return Number(await page.evaluate(`document.activeElement.dataset.position`))
}

async function focusOn(page: Page, position: number): Promise<void> {
  await until(page, `document.activeElement.dataset.position === '${position}'`)
}
