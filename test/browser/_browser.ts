import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]
const executablePath = findChromium()

/** A describe block with a browser; skipped with a word where there is none, unless REQUIRE_ENGINES=1. */
export function describeInBrowser(name: string, tests: (browser: () => Browser) => void): void {
  if (executablePath === undefined) {
    const message = `${name}: no Chromium was found. Install one, or set CHROMIUM_PATH.`
    if (process.env['REQUIRE_ENGINES'] === '1') throw new Error(message)
    console.warn(`skipped ${message}`)
  }
  describe.skipIf(executablePath === undefined)(name, () => {
    let browser: Browser | undefined
    beforeAll(async () => {
      browser = await launch()
    })
    afterAll(async () => await browser?.close())
    tests(() => {
      if (browser === undefined) throw new Error('the browser has not started')
      return browser
    })
  })
}

async function launch(): Promise<Browser> {
  return await chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: [
      // Chromium refuses its sandbox to root, as which containers often run.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}

/** A page of its own, without the traces of the test before; errors of the page fail the test that opened it. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; context: BrowserContext; errors: string[] } & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  return { page, context, errors, [Symbol.asyncDispose]: () => context.close() }
}

/** Waits until an expression is true in the page. (`waitForFunction` would need the page to allow `eval`.) */
export async function until(page: Page, expression: string): Promise<void> {
  await expect.poll(() => page.evaluate(expression), { message: expression, timeout: 20_000 }).toBe(true)
}

function findChromium(): string | undefined {
  const named = process.env['CHROMIUM_PATH']
  if (named !== undefined) return named
  const files = places.flatMap((place) => [place, ...names.map((name) => join(place, name))])
  return files.find(
    (file) => names.some((name) => file.endsWith(name) || file.endsWith('Google Chrome')) && existsSync(file),
  )
}
