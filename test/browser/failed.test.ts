import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, event, on, type RunningApp, startApp, t } from '../../src/index.ts'
import { testDatabase } from '../../src/testing.ts'
import { violations } from './_axe.ts'
import { describeInBrowser, openPage, until } from './_browser.ts'

const placed = event('order.placed', { order: t.string(), amount: t.int() }, { key: 'order' })
const booked = event('order.booked', { order: t.string() })

/** Refuses negative amounts; books all others, which sets something off. */
const book = on('book', placed, { attempts: 1 }, async ({ data, publish }) => {
  if (data.amount < 0) throw new Error(`the amount of order ${data.order} is ${data.amount}`)
  await publish(booked, { order: data.order })
})
const slow = on('tell', booked, () => {})

describeInBrowser('what failed', (browser) => {
  let shop: RunningApp
  let drop: () => Promise<void>
  beforeAll(async () => {
    const database = await testDatabase()
    drop = () => database.drop()
    shop = await startApp(app('shop', [placed, booked, book, slow]), {
      location: { kind: 'url', url: database.url },
      http: { port: 0 },
    })
    for (const order of ['a1', 'a2', 'a3']) await shop.publish(placed, { order, amount: -5 })
    await shop.publish(placed, { order: 'b1', amount: 5 })
    await shop.settled()
  })
  afterAll(async () => {
    await shop.stop()
    await drop()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`is accessible in ${colorScheme}: groups, a delivery, its dialogs`, async () => {
      await using view = await signedIn('failed', colorScheme)
      const { page } = view
      await page.getByText('3 dead letters for somebody to decide').waitFor()
      await page.getByRole('link', { name: 'book' }).click()
      await page.getByRole('link', { name: /^order\.placed 3/ }).click()
      await page.getByRole('heading', { name: '1 try' }).waitFor()
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Edit data' }).click()
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Redrive all 3' }).click()
      await page.getByText('3 dead letters of 3 keys will be handled again').waitFor()
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Cancel' }).last().click()
      expect(view.errors).toEqual([])
    })
  }

  test('is edited and redriven: then it is handled, and the event says by whom it was set off', async () => {
    await using view = await signedIn('failed')
    const { page } = view
    await page.getByRole('link', { name: 'book' }).click()
    await page.getByRole('link', { name: /^order\.placed 1/ }).click()
    await page.getByRole('button', { name: 'Edit data' }).click()
    const data = page.getByLabel('Data for the handler, as JSON')
    await data.fill('{ "order": "a1", "amount": "much" }')
    await page.getByRole('button', { name: 'Save and redrive' }).click()
    await page.getByText('/amount: must be integer').waitFor()
    await data.fill('{ "order": "a1", "amount": 7 }')
    await page.getByRole('button', { name: 'Save and redrive' }).click()
    await page.getByText('2 dead letters for somebody to decide').waitFor()
    const bookedAt = async () =>
      (await shop.operate('events', { type: 'order.booked', text: 'a1' })).events[0]?.position
    await expect.poll(bookedAt).toBeDefined()
    await page.goto(`${shop.url}/_/e/${await bookedAt()}`)
    await page.getByRole('heading', { name: 'Set off by' }).waitFor()
    await page.getByRole('link', { name: 'order.placed' }).click()
    await until(page, `document.title.endsWith('Event 1')`)
    await page.getByRole('heading', { name: 'Set off', exact: true }).waitFor()
    // The browser notes the answers 400 (refused data) and 404 (handled meanwhile).
    expect(view.errors.filter((error) => !/status of 40[04]/.test(error))).toEqual([])
  })

  test('is found by the id of its event, and from the event', async () => {
    await using view = await signedIn('')
    const { page } = view
    const { id } = await shop.operate('event', { position: 2 })
    await page.getByRole('button', { name: /Jump to/ }).click()
    await page.getByRole('combobox', { name: 'Jump to' }).fill(id)
    await page.getByRole('option', { name: 'order.placed 2' }).click()
    await until(page, `document.title.endsWith('Event 2')`)
    await page.getByRole('link', { name: 'dead' }).click()
    await page.getByRole('heading', { name: '1 try' }).waitFor()
    expect(view.errors).toEqual([])
  })

  test('is discarded with a reason', async () => {
    await using view = await signedIn('failed')
    const { page } = view
    await page.getByRole('link', { name: 'book' }).click()
    await page.getByRole('link', { name: /^order\.placed 2/ }).click()
    await page.getByRole('button', { name: 'Discard', exact: true }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByRole('button', { name: 'Discard' }).isDisabled()).toBe(true)
    await dialog.getByLabel('Reason').fill('a test order')
    await dialog.getByRole('button', { name: 'Discard' }).click()
    await page.getByText('1 dead letter for somebody to decide').waitFor()
    const { interventions } = await shop.operate('interventions', { action: 'discard' })
    expect(interventions[0]).toMatchObject({ consumer: 'book', position: 2, reason: 'a test order', by: 'console' })
  })

  test('a consumer is paused, resumed, and handles events again in a replay', async () => {
    await using view = await signedIn('consumers?sel=consumer:tell')
    const { page } = view
    const pane = page.getByRole('complementary')
    await pane.getByRole('button', { name: 'Pause' }).click()
    await pane.getByText('paused').waitFor()
    await pane.getByRole('button', { name: 'Resume' }).click()
    await pane.getByRole('button', { name: 'Pause' }).waitFor()
    await pane.getByRole('button', { name: 'Replay …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Count' }).click()
    await dialog.getByText(/^\d events? from 1 to/).waitFor()
    expect(await violations(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Start the replay' }).click()
    await pane.getByText(/\d events? handled/).waitFor()
    await pane.getByText('done').first().waitFor()
    expect(await violations(page)).toEqual([])
    expect(view.errors).toEqual([])
  })

  async function signedIn(path: string, colorScheme: 'light' | 'dark' = 'light') {
    const view = await openPage(browser(), { colorScheme })
    await view.page.goto(shop.consoleUrl ?? '')
    await until(view.page, `document.title.endsWith('Overview')`)
    await view.page.goto(`${shop.url}/_/${path}`)
    return view
  }
})
