import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

// What docs/guarantees.md says is tested must be: files that are there, with tests of the names in italics.

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const references = [...page.matchAll(/`([\w./-]+\.test\.ts)`((?:,? \*[^*]+\*)*)/g)].map(
  ([, path = '', names = '']) => ({
    path,
    names: [...names.matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => name),
  }),
)

test('the tests that the guarantees name are there', () => {
  const missing = references.flatMap(({ path, names }) => {
    if (!existsSync(join(root, path))) return [path]
    const text = readFileSync(join(root, path), 'utf8')
    return names.filter((name) => !text.includes(`test('${name}'`)).map((name) => `${path}: ${name}`)
  })
  expect(missing).toEqual([])
  expect(references.flatMap(({ names }) => names).length).toBeGreaterThan(20)
})
