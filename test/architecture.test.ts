import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Each folder imports only from itself and from lower layers. Folders of one layer do not know each other. */
const layers = [
  ['kernel'],
  ['store'],
  ['events'],
  ['delivery'],
  ['sagas', 'sync', 'calls', 'cache', 'search', 'webhooks', 'agents', 'jobs', 'streams', 'retention'],
  ['gateway', 'admin', 'adapters'],
  ['platform'],
  ['testing', 'cli'],
]
/** The files beside the folders are the doors of the package. */
const entry = '(entry)'

const src = resolve(import.meta.dirname, '../src')

interface SourceFile {
  path: string
  folder: string
  imports: string[]
}

function readSources(): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(src, file))
    .map((path) => ({ path, folder: folderOf(path), imports: importsOf(path) }))
}

function folderOf(path: string): string {
  const [first = '', ...rest] = relative(src, path).split(sep)
  return rest.length === 0 ? entry : first
}

/** Of every kind: `import`, `import type`, `export … from`, `import('…')`, in types too. */
function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const found = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"`])(\.[^'"`]*)\1/g)
  return [...found].map(([, , target = '']) => resolve(dirname(path), target))
}

const layerOf = (folder: string): number =>
  folder === entry ? layers.length : layers.findIndex((layer) => layer.includes(folder))
const named = (path: string): string => relative(src, path)

const sources = readSources()
const product = sources.filter(({ path }) => !path.endsWith('.test.ts'))

test('there are sources to look at, and imports in them', () => {
  expect(product.length).toBeGreaterThan(100)
  expect(product.flatMap(({ imports }) => imports).length).toBeGreaterThan(product.length)
})

test('every folder has its layer', () => {
  const unknown = new Set(sources.filter(({ folder }) => layerOf(folder) === -1).map(({ folder }) => folder))
  expect([...unknown]).toEqual([])
})

test('imports point down', () => {
  const upward = product.flatMap(({ path, folder, imports }) =>
    imports
      .filter((target) => folderOf(target) !== folder && layerOf(folderOf(target)) >= layerOf(folder))
      .map((target) => `${named(path)} → ${named(target)}`),
  )
  expect(upward).toEqual([])
})

test('nothing imports an entry file', () => {
  const found = sources.flatMap(({ path, imports }) =>
    imports.filter((target) => folderOf(target) === entry).map((target) => `${named(path)} → ${named(target)}`),
  )
  // Tests and the testing door may look at a door from outside.
  expect(found.filter((line) => !/\.test\.ts →/.test(line))).toEqual([])
})

test('entry files only pass on what the folders export', () => {
  const withCode = product
    .filter(({ folder }) => folder === entry)
    .filter(({ path }) => /^(?:export )?(?:async )?(?:function|class|const|let)\b/m.test(readFileSync(path, 'utf8')))
  expect(withCode.map(({ path }) => named(path))).toEqual([])
})

test('adapters of different vendors do not know each other', () => {
  const vendorOf = (path: string): string => relative(join(src, 'adapters'), path).split(sep)[0] ?? ''
  const found = product
    .filter(({ folder }) => folder === 'adapters')
    .flatMap(({ path, imports }) =>
      imports
        .filter((target) => folderOf(target) === 'adapters' && vendorOf(target) !== vendorOf(path))
        .map((target) => `${named(path)} → ${named(target)}`),
    )
  expect(found).toEqual([])
})

test('a file whose name begins with _ is private to its folder', () => {
  const found = sources.flatMap(({ path, imports }) =>
    imports
      .filter((target) => basename(target).startsWith('_') && dirname(target) !== dirname(path))
      .map((target) => `${named(path)} → ${named(target)}`),
  )
  expect(found).toEqual([])
})

test('no folder has an index.ts', () => {
  const found = sources.filter(({ path, folder }) => basename(path) === 'index.ts' && folder !== entry)
  expect(found.map(({ path }) => named(path))).toEqual([])
})

test('imports name the file with its ending', () => {
  const found = sources.flatMap(({ path, imports }) =>
    imports.filter((target) => !/\.(ts|json)$/.test(target)).map((target) => `${named(path)} → ${named(target)}`),
  )
  expect(found).toEqual([])
})

test('no imports go in a circle, those of types included', () => {
  expect(firstCycle(new Map(product.map(({ path, imports }) => [path, imports])))).toEqual([])
})

test('only the CLI reads arguments and environment', () => {
  const found = product.filter(
    ({ path, folder }) => folder !== 'cli' && /process\.(env|argv)\b/.test(readFileSync(path, 'utf8')),
  )
  expect(found.map(({ path }) => named(path))).toEqual([])
})

describe('the search for circles', () => {
  test('finds one', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ])
    expect(firstCycle(graph)).toEqual(['b', 'd', 'b'])
  })

  test('is content without', () => {
    expect(
      firstCycle(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toEqual([])
  })
})

/** The files of a circle in order, or none. */
function firstCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file))
      return [...path.slice(path.indexOf(file)), file].map((f) => (f.startsWith(src) ? named(f) : f))
    if (done.has(file)) return []
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target, [...path, file])
      if (cycle.length > 0) return cycle
    }
    done.add(file)
    return []
  }
  for (const file of graph.keys()) {
    const cycle = visit(file, [])
    if (cycle.length > 0) return cycle
  }
  return []
}
