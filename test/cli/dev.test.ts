import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppFolder, CliProcess, runCli } from '../support/cli-process.ts'
import { tinyApp } from '../support/tiny-app.ts'

const folder = new AppFolder({ 'src/app.ts': tinyApp('first') })
let cli: CliProcess
let url = ''

beforeAll(async () => {
  cli = new CliProcess(['dev', folder.path])
  url = await cli.ready()
}, 60_000)
afterAll(async () => {
  await cli.stop()
  folder.remove()
}, 20_000)

const greeting = async (): Promise<unknown> => (await fetch(`${url}/greeting`)).json()

/** Saves the app and waits for what dev says of it. */
async function save(text: string, says: RegExp): Promise<void> {
  cli.stdout = ''
  cli.stderr = ''
  folder.write('src/app.ts', text)
  await cli.shows(says)
}

test('the first screen shows what came up and where to go', () => {
  expect(cli.stdout).toMatch(/millrace \S+ · tiny · dev/)
  expect(cli.stdout).toMatch(/postgres +Postgres 18\.\d+, embedded/)
  expect(cli.stdout).toMatch(/app +1 event · 1 consumer · 1 route/)
  expect(cli.stdout).toMatch(/Console +http:\/\/127\.0\.0\.1:\d+\/_\/\?t=\S+/)
  expect(cli.stdout).not.toContain('\u001b')
})

test('a save is answered by the new version, at the same address', async () => {
  await save(tinyApp('second'), /↻ app/)
  expect(await greeting()).toEqual({ greeting: 'second' })
})

test('a version that cannot be read is shown with file and line, and the last good one goes on', async () => {
  await save(tinyApp('third').replace('export default', 'export defalt'), /The last good version keeps running/)
  expect(cli.stderr).toMatch(/src\/app\.ts:6:\d+/)
  expect(await greeting()).toEqual({ greeting: 'second' })
})

test('a version with a wrong declaration is shown with code and mend, and the last good one goes on', async () => {
  await save(tinyApp('third').replace("'ping'", "'P I N G'"), /The last good version keeps running/)
  expect(cli.stderr).toMatch(/NAME_INVALID[\s\S]*src\/app\.ts:3/)
  expect(await greeting()).toEqual({ greeting: 'second' })
})

test('a version whose table differs from the one that is there is shown, and the last good one goes on', async () => {
  const withTable = (column: string): string =>
    tinyApp('tabled')
      .replace('route, t }', 'route, t, table }')
      .replace('const seen', `const notes = table('notes', { id: t.int(), ${column} }, { key: 'id' })\nconst seen`)
      .replace('[ping, seen,', '[ping, notes, seen,')
  await save(withTable('text: t.string()'), /↻ app/)
  await save(withTable('text: t.boolean()'), /The last good version keeps running/)
  expect(cli.stderr).toMatch(/TABLE_MISMATCH|column "text"/)
  expect(await greeting()).toEqual({ greeting: 'tabled' })
})

test('after the mend the new version runs', async () => {
  await save(tinyApp('third'), /↻ app/)
  expect(await greeting()).toEqual({ greeting: 'third' })
})

test('a version that crashes is told, and the next save runs again', async () => {
  await save(`${tinyApp('crash')}\nsetTimeout(() => process.exit(7), 300)\n`, /ended by itself \(code 7\)/)
  await save(tinyApp('fourth'), /↻ app/)
  expect(await greeting()).toEqual({ greeting: 'fourth' })
})

test('tail shows an emitted event, also after a reload, and as JSON', async () => {
  const tail = new CliProcess(['tail', 'type:ping', '--app', folder.path])
  const other = new CliProcess(['tail', 'key:8', '--app', folder.path, '--json'])
  const first = await runCli(['emit', 'ping', '{"n": 7}', '--app', folder.path])
  expect(first.stderr).toBe('')
  expect(first.code).toBe(0)
  await tail.shows(/^\d\d:\d\d:\d\d\.\d{3} {2}event {3}ping 7 .*"n": ?7.*#\d+$/m)

  await save(tinyApp('fifth'), /↻ app/)
  await runCli(['emit', 'ping', '-', '--app', folder.path, '--json'], { input: '{"n": 8}' })
  await tail.shows(/ping 8/)
  await other.shows(/"key":"8"/)
  expect(await tail.stop('SIGINT')).toBe(0)
  expect(await other.stop()).toBe(0)
  expect(
    other.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).key),
  ).toEqual(['8'])
}, 60_000)

test('an event that does not fit its schema is refused by field', async () => {
  const { code, stderr } = await runCli(['emit', 'ping', '{"n": "seven"}', '--app', folder.path])
  expect(stderr).toMatch(/INPUT_INVALID/)
  expect(stderr).toMatch(/\/n +/)
  expect(code).toBe(1)
})

test('what is no JSON is refused before it is sent', async () => {
  const { code, stderr } = await runCli(['emit', 'ping', '{n: 7}', '--app', folder.path])
  expect(stderr).toMatch(/the data is not JSON.*INPUT_MALFORMED/)
  expect(code).toBe(1)
})

test('doctor finds the app, its holder and its Postgres, and nothing wrong', async () => {
  const { code, stdout } = await runCli(['doctor', '--app', folder.path, '--json'])
  const checks = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(checks.map(({ name }) => name)).toEqual(['node', 'package', 'app', 'folder', 'running', 'postgres'])
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([])
  expect(stdout).toContain(`process ${cli.process.pid}`)
  expect(code).toBe(0)
})

test('nothing is left when the supervisor is killed', async () => {
  const place = new AppFolder({ 'src/app.ts': `${tinyApp()}\nconsole.log('child', process.pid)\n` })
  const dev = new CliProcess(['dev', place.path])
  try {
    await dev.ready()
    const child = Number((await dev.shows(/^child (\d+)$/m))[1])
    const { port } = JSON.parse(readFileSync(join(place.path, '.millrace/postgres.json'), 'utf8'))
    expect(await answers(port)).toBe(true)
    expect(await dev.stop('SIGKILL')).toBe('SIGKILL')
    await expect.poll(() => isAlive(child), { timeout: 10_000 }).toBe(false)
    await expect.poll(() => answers(port), { timeout: 10_000 }).toBe(false)
  } finally {
    dev.process.kill('SIGKILL')
    place.remove()
  }
}, 60_000)

test('tail ends when the app does, and dev leaves no address behind', async () => {
  const tail = new CliProcess(['tail', '--app', folder.path, '--last', '1'])
  await tail.shows(/ping/)
  expect(await cli.stop()).toBe(0)
  expect(await tail.ended()).toBe(0)
  expect(existsSync(join(folder.path, '.millrace/app.json'))).toBe(false)
}, 30_000)

/** Whether somebody listens there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
