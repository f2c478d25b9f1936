import { expect, onTestFinished, test } from 'vitest'
import { AppFolder, runCli } from '../../test/support/cli-process.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'

const source = (fields: string): string =>
  `import { app, event, t } from 'millrace'\nexport default app('shop', { paid: event('order.paid', ${fields}) })\n`

function folderWith(fields: string): string {
  const folder = new AppFolder({ 'src/app.ts': source(fields) })
  onTestFinished(() => folder.remove())
  return folder.path
}

test('contracts check prints the diff against a database, changes nothing and ends with 1', async () => {
  const database = await testDatabase()
  onTestFinished(() => database.drop())
  const env = { DATABASE_URL: database.url }
  const check = (fields: string, ...flags: string[]) =>
    runCli(['contracts', 'check', '--app', folderWith(fields), ...flags], { env })

  const running = await testApp(app('shop', [event('order.paid', { order: t.string() })]), { url: database.url })
  await running.stop()
  expect(await check('{ order: t.string() }')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('✔ order.paid 1  as registered'),
  })
  const breaking = await check('{ order: t.string(), via: t.string() }')
  expect(breaking).toMatchObject({ code: 1, stdout: expect.stringContaining('/via  was: optional; is: required') })
  expect(breaking.stdout).toContain('1 events, 1 breaking')
  const { stdout } = await check('{ order: t.string(), via: t.string() }', '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    event: 'order.paid',
    status: 'breaking',
    breaks: [{ against: 1, direction: 'backward', gaps: [{ path: '/via' }] }],
  })
})

test('contracts knows only check', async () => {
  const { code, stderr } = await runCli(['contracts', 'apply'])
  expect(code).toBe(2)
  expect(stderr).toContain('contracts check')
})
