import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

// npm run screenshots -w console -- --url http://127.0.0.1:4400/_/ --out <folder>: every page, both themes, two widths.
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:4400/_/' },
    out: { type: 'string', default: 'screenshots' },
    type: { type: 'string', default: 'change:films' },
    browser: { type: 'string', default: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium' },
  },
})
const pages = { overview: '', map: 'map', events: 'events', consumers: 'consumers', journeys: 'journey' }
/** Long enough for the chart and the first frames of the stream. */
const settleMs = 2_500

await mkdir(values.out, { recursive: true })
const browser = await chromium.launch({ executablePath: values.browser, args: ['--no-sandbox', '--disable-gpu'] })
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 900]) {
    // One context: the link that signs in is opened once, and its cookie serves all pages.
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } })
    await page.goto(values.url)
    const shoot = async (name: string): Promise<void> => {
      await page.waitForTimeout(settleMs)
      await page.screenshot({ path: join(values.out, `${name}-${colorScheme}-${width}.png`) })
    }
    const base = new URL('.', values.url).href
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(base + path)
      await shoot(name)
    }
    // A change that something follows makes the better picture.
    await page.goto(`${base}events?type=${values.type}`)
    await page.waitForTimeout(settleMs)
    const [newest] = await page.locator('[data-position]').evaluateAll((rows) => rows.map((row) => row.textContent))
    const position = Number.parseInt(newest ?? '', 10)
    if (!Number.isNaN(position)) {
      await page.goto(`${base}j/${position}`)
      await shoot('journey')
      await page.goto(`${base}events?sel=${position}`)
      await shoot('event')
    }
    await page.close()
  }
}
await browser.close()
