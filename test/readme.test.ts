import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const quoted = /<!-- from: (\S+) -->\n```ts\n([\s\S]*?)```/g

test('code that the README takes from a file is that file', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(quoted)]
  expect(blocks.length).toBeGreaterThan(0)
  for (const [, file = '', code] of blocks) expect(code, file).toBe(readFileSync(join(root, file), 'utf8'))
})

test('every variable in the README is one that the CLI reads', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const cli = readFileSync(join(root, 'src/cli/environment.ts'), 'utf8')
  const named = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name ?? '')
  expect(named.length).toBeGreaterThan(0)
  for (const name of named) expect(cli).toContain(name)
})
