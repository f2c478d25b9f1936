import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppFolder, CliProcess, runCli } from '../support/cli-process.ts'

// Fails every event below 10 whose data nobody edited.
const folder = new AppFolder({
  'src/app.ts': `import { app, event, on, t } from 'millrace'

const ping = event('ping', { n: t.int(), mended: t.optional(t.boolean()) })
const seen = on('seen', ping, { attempts: 1 }, ({ data }) => {
  if (data.n < 10 && data.mended !== true) throw new Error('no ping ' + data.n)
})
export default app('tiny', [ping, seen])
`,
})
const cli = new CliProcess(['start', folder.path])
const run = (...args: string[]) => runCli([...args, '--app', folder.path])
const json = async (...args: string[]): Promise<Record<string, unknown>[]> => {
  const { stdout, stderr, code } = await run(...args, '--json')
  expect([code, stderr]).toEqual([0, ''])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

beforeAll(async () => {
  await cli.ready()
  await Promise.all([1, 2, 3, 4].map((n) => run('emit', 'ping', JSON.stringify({ n }))))
}, 120_000)
afterAll(async () => {
  await cli.stop()
  folder.remove()
})

test('failed deliveries are shown, edited, redriven and discarded from the command line', async () => {
  await expect.poll(async () => (await json('failed'))[0]?.['dead'], { timeout: 20_000 }).toBe(4)
  const [group] = await json('failed')
  const signature = String(group?.['signature'])
  const shown = await run('failed')
  expect(shown.stdout).toMatch(/4 dead[\s\S]*Error: no ping ‹n›[\s\S]*such as seen#\d/)
  expect((await run('failed', signature)).stdout).toMatch(/seen#\d {2}dead {2}ping[\s\S]*4 of 4 deliveries/)

  const edited = await run('edit', 'seen#1', '{"n":1,"mended":true}', '--redrive', '--reason', 'was broken')
  expect(edited).toMatchObject({ code: 0, stdout: expect.stringContaining('seen#1 edited') })
  await expect.poll(async () => (await json('failed'))[0]?.['dead'], { timeout: 20_000 }).toBe(3)
  expect(await run('edit', 'seen#2', '{"n":"two"}')).toMatchObject({ code: 1, stderr: expect.stringContaining('/n') })

  expect(await json('redrive', signature, '--dry-run')).toMatchObject([{ redriven: 3, keys: 3 }])
  // Nobody can be asked: many are touched only with --yes.
  expect(await run('redrive', signature)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
  expect(await json('redrive', 'seen#2')).toMatchObject([{ redriven: 1 }])
  expect(await run('discard', '--all')).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') })
  await expect.poll(async () => (await json('failed'))[0]?.['dead'], { timeout: 20_000 }).toBe(3)
  expect(await json('discard', '--consumer', 'seen', '--reason', 'test', '--yes')).toEqual([{ discarded: 3 }])
  expect((await run('failed')).stdout).toContain('Nothing has failed.')
}, 240_000)

test('a consumer is paused, resumed and replayed to from the command line', async () => {
  expect(await json('pause', 'seen')).toMatchObject([{ paused: true }])
  expect(await json('resume', 'seen')).toMatchObject([{ paused: false }])
  expect((await run('replay', 'seen', '--from', '2', '--until', '3', '--dry-run')).stdout).toContain(
    '2 events of 2 keys would be handled again, from #2 to #3.',
  )
  expect(await json('replay', 'seen', '--from', '2', '--until', '3', '--yes')).toMatchObject([
    { id: '1', consumer: 'seen', fromPosition: 2, untilPosition: 3 },
  ])
  await expect
    .poll(async () => (await json('replays', '1'))[0], { timeout: 20_000 })
    .toMatchObject({ state: 'done', dead: 2 })
  expect((await run('replays')).stdout).toMatch(/replay:1 {2}seen {2}done {2}100 %/)
  expect(await run('replays', '1', '--cancel')).toMatchObject({ code: 1, stderr: expect.stringContaining('CONFLICT') })
  expect(await run('replay', 'nobody')).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') })
  expect(await run('replay', 'seen', '--from', 'monday')).toMatchObject({ code: 2 })
}, 240_000)
