import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const project = mkdtempSync(join(tmpdir(), 'millrace-package-'))
const installed = join(project, 'node_modules/millrace')

/** Runs a program in the project of a user, without the conditions of this test run. */
function run(program: string, args: readonly string[], cwd: string = project): string {
  const { NODE_OPTIONS: _, NODE_ENV: __, ...env } = process.env
  return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function link(name: string): void {
  const target = join(project, 'node_modules', name)
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), target)
}

beforeAll(() => {
  run(process.execPath, ['scripts/build.mjs', '--if-stale'], root)
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], root)
  mkdirSync(installed, { recursive: true })
  const [tarball = ''] = readdirSync(project).filter((name) => name.endsWith('.tgz'))
  run('tar', ['-xzf', join(project, tarball), '-C', installed, '--strip-components=1'])
  // What npm would install beside it; linked, for a test must not need the network.
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) link(name)
  link('@types/node')
  writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n')
}, 180_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

test('the package holds what runs, and nothing else', () => {
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
  const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
  expect(files).toEqual(
    expect.arrayContaining(['index.js', 'index.d.ts', 'testing.js', 'cli/main.js', 'console/index.html']),
  )
  expect(files.filter((file) => file.endsWith('.sql')).length).toBeGreaterThan(0)
  expect(files.filter((file) => /\.test\.|(^|\/)\.|\.tmp/.test(file))).toEqual([])
})

test('plain JavaScript finds every door', () => {
  writeFileSync(
    join(project, 'doors.js'),
    `import * as millrace from 'millrace'
     import * as testing from 'millrace/testing'
     import * as protobuf from 'millrace/protobuf'
     console.log(JSON.stringify([Object.keys(millrace), Object.keys(testing), Object.keys(protobuf)]))`,
  )
  const [names, testing, protobuf] = JSON.parse(run(process.execPath, ['doors.js']))
  expect(names).toEqual(expect.arrayContaining(['app', 'cache', 'event', 'index', 'on', 'route', 't', 'table']))
  expect(testing.length).toBeGreaterThan(0)
  expect(protobuf).toEqual(['protobuf'])
})

test('nothing inside the package can be reached past its doors', () => {
  writeFileSync(join(project, 'inside.js'), `import 'millrace/dist/kernel/errors.js'\n`)
  expect(() => run(process.execPath, ['inside.js'])).toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/)
})

test('the types of every door resolve and check, also with the library checked', () => {
  writeFileSync(
    join(project, 'user.ts'),
    `import { app, event, on, route, t, table } from 'millrace'
     import * as testing from 'millrace/testing'

     const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
     const placed = event('order.placed', { film: t.int() }, { key: 'film' })
     const told = on('told', placed, async ({ data }) => { const film: number = data.film; void film })
     // @ts-expect-error the data has no title
     const wrong = on('wrong', placed, async ({ data }) => data.title)

     export default app('shop', { films, placed, told, wrong, hello: route('GET /hello', () => ({ ok: true })) })
     export type Testing = keyof typeof testing\n`,
  )
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2023',
    strict: true,
    noEmit: true,
    types: ['node'],
    skipLibCheck: false,
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.ts'] }))
  const check = (): string => run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])
  expect(messagesOf(check)).toBe('')
}, 60_000)

test('the installed command runs', () => {
  const main = join(installed, manifest.bin.millrace)
  expect(run(process.execPath, [main, '--version']).trim()).toBe(manifest.version)
  expect(run(main, ['--help'])).toContain('doctor')
})

/** What the compiler has to say. */
function messagesOf(check: () => string): string {
  try {
    return check()
  } catch (error) {
    const output: unknown = error instanceof Error ? Reflect.get(error, 'stdout') : undefined
    return typeof output === 'string' ? output : String(error)
  }
}
