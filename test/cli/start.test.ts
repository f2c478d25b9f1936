import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { AppFolder, CliProcess, runCli } from '../support/cli-process.ts'
import { tinyApp } from '../support/tiny-app.ts'

const folder = new AppFolder({
  'src/app.ts': tinyApp(),
  'src/load.ts': `export async function send({ url, perSecond, signal }: { url: string; perSecond: number; signal: AbortSignal }) {
    console.error('sending', perSecond, 'to', url, signal.aborted)
  }\n`,
  'package.json': '{ "type": "module", "millrace": { "app": "src/app.ts", "load": "src/load.ts" } }',
})
const addressFile = join(folder.path, '.millrace/app.json')

afterAll(() => folder.remove())

test('start says ready alone on standard output, logs JSON beside it, and ends within 5 s of SIGTERM', async () => {
  const cli = new CliProcess(['start', folder.path, '--load', '20'])
  const url = await cli.ready()
  expect(await (await fetch(`${url}/greeting`)).json()).toEqual({ greeting: 'hello' })
  expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ status: 'ok' })
  await cli.shows(/sending 20 to http.* false/)

  expect(JSON.parse(readFileSync(addressFile, 'utf8'))).toMatchObject({ url, pid: cli.process.pid })
  expect(statSync(addressFile).mode & 0o777).toBe(0o600)

  const second = await runCli(['start', folder.path])
  expect(second.stderr).toMatch(/POSTGRES_HELD/)
  expect(second.stderr).toContain(String(cli.process.pid))
  expect(second.code).toBe(1)

  const askedAt = performance.now()
  expect(await cli.stop()).toBe(0)
  expect(performance.now() - askedAt).toBeLessThan(5000)
  expect(cli.stdout).toBe(`ready ${url}\n`)
  const logLines = cli.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('sending'))
  for (const line of logLines) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) })
  expect(cli.stderr).not.toMatch(/postgres:\/\/[^\s"]*:[^*\s"]+@/)
  expect(existsSync(addressFile)).toBe(false)
}, 60_000)

test('an app that is asked to end while it starts ends with 0', async () => {
  const cli = new CliProcess(['start', folder.path])
  await cli.shows(/"step":"postgres"/)
  expect(await cli.stop('SIGINT')).toBe(0)
  expect(cli.stdout).toBe('')
}, 60_000)
