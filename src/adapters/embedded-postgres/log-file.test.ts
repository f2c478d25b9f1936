import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder, until } from '../../../test/support/embedded-postgres.ts'
import { openLogFile } from './_log-file.ts'

test('a long log is put aside at the start', async () => {
  const directory = await temporaryFolder()
  await writeFile(join(directory, 'postgres.log'), 'x'.repeat(2_000_000))
  const log = await openLogFile(directory)
  expect((await stat(log.path)).size).toBe(0)
  expect((await stat(`${log.path}.1`)).size).toBe(2_000_000)
  await log.close()
})

test('a log that grows while Postgres runs is emptied, and what is appended later is kept', async () => {
  const directory = await temporaryFolder()
  const log = await openLogFile(directory, { maxBytes: 100, checkEveryMs: 10 })
  await log.append('x'.repeat(101))
  await until('it is emptied', async () => (await stat(log.path)).size === 0)
  expect((await stat(`${log.path}.1`)).size).toBe(101)
  await log.append('later')
  expect(await readFile(log.path, 'utf8')).toBe('later')
  await log.close()
})

test('the tail is what was printed since the mark', async () => {
  const directory = await temporaryFolder()
  const log = await openLogFile(directory)
  await log.append('before\n')
  await log.mark()
  await log.append('after\n')
  expect(await log.tail()).toBe('after\n')
  await log.close()
})
