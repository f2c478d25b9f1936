import { afterEach, describe, expect, test } from 'vitest'
import { AppFolder, runCli } from '../support/cli-process.ts'

let folder: AppFolder | undefined
afterEach(() => folder?.remove())

const appOf = (files: Record<string, string>): string => {
  folder = new AppFolder(files)
  return folder.path
}

describe('a command called wrongly ends with 2 and says what it knows', () => {
  test.each([
    [['fly'], /there is no command "fly"/],
    [['start', '--prot', '1'], /start has no flag --prot/],
    [['start', '-x'], /start has no flag -x/],
    [['doctor', 'one'], /doctor does not know what to do with "one"/],
    [['emit', 'ping'], /DATA/],
    [['tail', '--last', 'many'], /--last is "many"/],
    [['tail', '--last'], /--last needs a value/],
    [['tail', 'status:failed', '--last', '1'], /unknown field "status"/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  test.each([
    [{ PORT: '99999' }, /PORT is "99999"/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL is "loud"/],
    [{ MILLRACE_CONSOLE_TOKEN: 'short' }, /at least 16 characters/],
    [{ DATABASE_URL: 'mysql://root:secret@host/db' }, /DATABASE_URL is no address of a Postgres/],
  ])('%j', async (env, message) => {
    const { code, stderr } = await runCli(['doctor'], { env })
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('secret')
    expect(code).toBe(2)
  })
})

test('help names every command and variable, uncoloured without a terminal', async () => {
  const { code, stdout } = await runCli(['--help'])
  for (const word of ['dev', 'start', 'tail', 'emit', 'doctor', 'PORT', 'MILLRACE_DIR', 'DATABASE_URL']) {
    expect(stdout).toContain(word)
  }
  expect(stdout).not.toContain('\u001b')
  expect(code).toBe(0)
})

test('help of a command names its flags', async () => {
  const { code, stdout } = await runCli(['start', '--help'])
  expect(stdout).toMatch(/--load=<n>/)
  expect(code).toBe(0)
})

describe('an app that cannot be run ends start with 1 and the mend', () => {
  test('no app there', async () => {
    const { code, stderr } = await runCli(['start', appOf({})])
    expect(stderr).toMatch(/there is no app in .*APP_INVALID[\s\S]*Write src\/app\.ts/)
    expect(code).toBe(1)
  })

  test('a file without an app', async () => {
    const { code, stderr } = await runCli(['start', appOf({ 'src/app.ts': 'export const films: number = 1\n' })])
    expect(stderr).toMatch(/src\/app\.ts has no default export.*APP_INVALID[\s\S]*export default app\(/)
    expect(code).toBe(1)
  })

  test('code that throws is shown with its place', async () => {
    const text = 'const films: string[] = []\n\nfilms.at(0).title\nexport default 1\n'
    const { code, stderr } = await runCli(['start', appOf({ 'src/app.ts': text })])
    expect(stderr).toMatch(/Cannot read properties of undefined[\s\S]*src\/app\.ts:3[\s\S]*films\.at\(0\)\.title/)
    expect(code).toBe(1)
  })

  test('code that cannot be read is shown with its place', async () => {
    const { code, stderr } = await runCli(['start', appOf({ 'src/app.ts': 'const films = 1\nconst = 5\n' })])
    expect(stderr).toMatch(/src\/app\.ts:2:\d+[\s\S]*const = 5/)
    expect(code).toBe(1)
  })

  test('the file that package.json names is taken, and its absence told', async () => {
    const path = appOf({ 'package.json': '{"type":"module","millrace":{"app":"lib/shop.ts"}}' })
    const { code, stderr } = await runCli(['start', path])
    expect(stderr).toMatch(/package\.json names the app lib\/shop\.ts, which does not exist/)
    expect(code).toBe(1)
  })

  test('with --json the error is JSON', async () => {
    const { code, stderr } = await runCli(['start', appOf({}), '--json'])
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'APP_INVALID' } })
    expect(code).toBe(1)
  })
})

test('the password of an unreachable Postgres is shown nowhere', async () => {
  const path = appOf({ 'src/app.ts': `import { app } from 'millrace'\nexport default app('tiny', [])\n` })
  const env = { DATABASE_URL: 'postgres://millrace:s3cr3tword@127.0.0.1:1/shop', LOG_LEVEL: 'debug' }
  for (const verb of [
    ['start', path],
    ['doctor', '--app', path],
  ]) {
    const { code, stdout, stderr } = await runCli(verb, { env })
    expect(stdout + stderr).toMatch(/cannot connect to postgres:\/\/millrace@127\.0\.0\.1:1\/shop/)
    expect(stdout + stderr).not.toContain('s3cr3tword')
    expect(code).toBe(1)
  }
})

test('without a running app, tail and emit say how to start one', async () => {
  const path = appOf({})
  for (const verb of [
    ['tail', '--app', path],
    ['emit', 'ping', '{}', '--app', path],
  ]) {
    const { code, stderr } = await runCli(verb)
    expect(stderr).toMatch(/no app runs in .*APP_NOT_RUNNING[\s\S]*millrace dev/)
    expect(code).toBe(1)
  }
})
