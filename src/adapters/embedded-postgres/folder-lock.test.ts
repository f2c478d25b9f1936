import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  type App,
  AppFailure,
  preparedFolder,
  startApp,
  temporaryFolder,
} from '../../../test/support/embedded-postgres.ts'
import { currentHolder, holdFolder } from './_folder-lock.ts'

test('of many that want a folder at once, one or none holds it, and it can be held afterwards', async () => {
  const directory = await temporaryFolder()
  for (let round = 0; round < 10; round += 1) {
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => holdFolder(directory)))
    const locks = results.filter((result) => result.status === 'fulfilled').map((result) => result.value)
    expect(locks.length).toBeLessThanOrEqual(1)
    for (const lock of locks) await lock.release()
    const lock = await holdFolder(directory)
    expect(await currentHolder(directory)).toEqual({ pid: process.pid })
    await lock.release()
    expect(await currentHolder(directory)).toBeUndefined()
  }
  expect(await readdir(join(directory, 'lock'))).toEqual([])
})

test('of two apps that start at once, at most one opens the folder, and a failure names the other', async () => {
  const directory = await preparedFolder()
  const results = await Promise.allSettled([startApp(directory), startApp(directory), startApp(directory)])
  const opened = results.filter((result): result is PromiseFulfilledResult<App> => result.status === 'fulfilled')
  expect(opened.length).toBeLessThanOrEqual(1)
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    expect(result.reason).toBeInstanceOf(AppFailure)
    expect(result.reason).toMatchObject({
      code: 'POSTGRES_HELD',
      message: expect.stringMatching(/in use by process [1-9]\d*/),
    })
  }
})

test('a claim is dead with its process, even when the process id belongs to another one by now', async () => {
  const directory = await temporaryFolder()
  await mkdir(join(directory, 'lock'))
  await writeFile(join(directory, 'lock', 'abc.json'), JSON.stringify({ pid: process.pid }))
  const lock = await holdFolder(directory)
  expect((await readdir(join(directory, 'lock'))).some((entry) => entry.startsWith('abc'))).toBe(false)
  await lock.release()
})

test('a holder too busy to answer still holds', async () => {
  const directory = await preparedFolder()
  const app = await startApp(directory)
  app.process.kill('SIGSTOP')
  await expect(holdFolder(directory)).rejects.toMatchObject({
    code: 'POSTGRES_HELD',
    message: expect.stringContaining(String(app.process.pid)),
  })
  await app.kill()
  await (await holdFolder(directory)).release()
})

test('a folder with a path longer than a socket allows can be held', async () => {
  const directory = join(await temporaryFolder(), 'long-'.repeat(40))
  await mkdir(directory)
  const lock = await holdFolder(directory)
  await expect(holdFolder(directory)).rejects.toMatchObject({ code: 'POSTGRES_HELD' })
  await lock.release()
  await (await holdFolder(directory)).release()
  expect(await readdir(join(directory, 'lock'))).toEqual([])
})
