import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// Every block of TypeScript in docs/ is a program of its own: it is checked by the compiler and run here, and fails by
// throwing (`node:assert`). A block that only shows a shape is marked `ts shape` and is not looked at.

const root = join(import.meta.dirname, '..')
const docs = join(root, 'docs')
/** Beside the sources, so that `millrace` means them; not in git. */
const folder = join(root, 'test', '.docs')

interface Block {
  name: string
  file: string
  code: string
}

const blocks = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md') && !file.startsWith('decisions'))
  .sort()
  .flatMap((file) => blocksOf(join(docs, file)))

function blocksOf(path: string): Block[] {
  const text = readFileSync(path, 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ 1: code = '', index }) => {
    const line = text.slice(0, index).split('\n').length + 1
    const name = `${relative(root, path)}:${line}`
    return { name, file: join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.ts`), code }
  })
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
// The line numbers of an error are those of the page.
for (const { name, file, code } of blocks)
  writeFileSync(file, `${'\n'.repeat(Number(name.split(':')[1]) - 1)}${code}\nexport {}\n`)

test('the code of the documentation passes the compiler', async () => {
  const options = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions: options, include: ['*.ts'] }),
  )
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const found = await promisify(execFile)(tsc, ['-p', folder], { cwd: root }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
  // What is wrong elsewhere is told by the check of the whole.
  expect(found.split('\n').filter((line) => line.startsWith('test/.docs/'))).toEqual([])
})

test.each(blocks.map(({ name, file }) => [name, file] as const))('%s runs', async (_, file) => {
  await import(pathToFileURL(file).href)
})
