import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CodeWatcher } from './code-watcher.ts'

let folder = ''
let watcher: CodeWatcher
const write = (name: string): void => writeFileSync(join(folder, name), String(Math.random()))
const within = (ms: number): AbortSignal => AbortSignal.timeout(ms)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-watch-'))
  for (const name of ['src', 'node_modules', '.millrace', 'dist']) mkdirSync(join(folder, name))
  write('src/app.ts')
  watcher = new CodeWatcher(folder)
})
afterEach(() => {
  watcher.close()
  rmSync(folder, { recursive: true })
})

async function tells(): Promise<boolean> {
  const signal = within(3000)
  await watcher.next(signal)
  return !signal.aborted
}

test('a saved file is told, also when an editor replaces it, again and again', async () => {
  for (let round = 0; round < 3; round += 1) {
    write('src/app.ts.tmp')
    renameSync(join(folder, 'src/app.ts.tmp'), join(folder, 'src/app.ts'))
    expect(await tells()).toBe(true)
    write('src/app.ts')
    expect(await tells()).toBe(true)
  }
})

test('a file in a folder that was made later is told', async () => {
  mkdirSync(join(folder, 'src/shelves'))
  expect(await tells()).toBe(true)
  write('src/shelves/films.ts')
  expect(await tells()).toBe(true)
})

test('what is no code of the app wakes nobody', async () => {
  for (const name of [
    'node_modules/a.ts',
    '.millrace/b.json',
    'dist/c.js',
    'src/app.test.ts',
    'src/.app.ts.swp',
    'notes.md',
  ]) {
    write(name)
  }
  // The one that is told ends the wait: had another been told before, a second call would return at once.
  write('src/app.ts')
  expect(await tells()).toBe(true)
  const signal = within(300)
  await watcher.next(signal)
  expect(signal.aborted).toBe(true)
})
