// Builds dist/: the library with tsc, its migrations, and the console with Vite.
//   node scripts/build.mjs              builds both anew
//   node scripts/build.mjs --if-stale   builds what its sources differ from; quiet and fast when nothing does
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { whileLocked } from './lock.mjs'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
/** Beside the dependencies, so that `npm ci` forgets it and the package never carries it. */
const cache = join(root, 'node_modules/.cache/millrace')

const library = {
  name: 'library',
  sources: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts'],
  result: join(dist, 'cli/main.js'),
  tool: join(root, 'node_modules/typescript/bin/tsc'),
  build: buildLibrary,
}
const consoleApp = {
  name: 'console',
  sources: [
    'console/src',
    'console/index.html',
    'console/package.json',
    'console/vite.config.ts',
    'src/admin/contract.ts',
    'package-lock.json',
  ],
  result: join(dist, 'console/index.html'),
  tool: join(root, 'node_modules/vite/bin/vite.js'),
  build: buildConsole,
}

/** Returns when dist/ is up to date; throws when something does not build, and then leaves dist/ as it was. */
export async function build({ onlyStale = false } = {}) {
  const wanted = () => [library, consoleApp].filter((part) => !onlyStale || isStale(part))
  const parts = wanted().filter(hasTool)
  if (parts.length === 0) return
  mkdirSync(cache, { recursive: true })
  await whileLocked(join(cache, 'build.lock'), async () => {
    // Another build may have run while we waited.
    const still = onlyStale ? parts.filter(isStale) : parts
    await Promise.all(still.map(buildPart))
  })
}

async function buildPart(part) {
  const print = fingerprint(part.sources)
  const staging = join(dist, `.${part.name}`)
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(staging, { recursive: true })
  try {
    await part.build(staging)
    writeFileSync(join(cache, part.name), print)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

async function buildLibrary(staging) {
  await run([library.tool, '-p', join(root, 'tsconfig.build.json'), '--noEmitOnError', '--outDir', staging])
  cpSync(join(root, 'src/store/migrations'), join(staging, 'store/migrations'), { recursive: true })
  chmodSync(join(staging, 'cli/main.js'), 0o755)
  replace(staging, (name) => name !== 'console')
}

async function buildConsole(staging) {
  await run([consoleApp.tool, 'build', '--logLevel', 'warn', '--outDir', staging], join(root, 'console'))
  mkdirSync(join(staging, 'console'))
  for (const name of readdirSync(staging)) {
    if (name !== 'console') renameSync(join(staging, name), join(staging, 'console', name))
  }
  replace(staging, (name) => name === 'console')
}

/** Puts what was built where it belongs; a start that runs at the same moment finds the old or the new. */
function replace(staging, owns) {
  for (const name of readdirSync(dist)) {
    if (!name.startsWith('.') && owns(name)) rmSync(join(dist, name), { recursive: true })
  }
  for (const name of readdirSync(staging)) renameSync(join(staging, name), join(dist, name))
}

function isStale({ name, sources, result }) {
  const stamp = join(cache, name)
  return !existsSync(result) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint(sources)
}

/** Of the contents, not of the times: a checkout and a copy change those for nothing. */
function fingerprint(sources) {
  const hash = createHash('sha256').update(process.version)
  const add = (path) => {
    let entries
    try {
      entries = readdirSync(path, { withFileTypes: true })
    } catch (error) {
      if (error.code === 'ENOTDIR') hash.update(path.slice(root.length)).update(readFileSync(path))
      else if (error.code !== 'ENOENT') throw error
      return
    }
    for (const entry of entries) if (!/\.test\.tsx?$/.test(entry.name)) add(join(path, entry.name))
  }
  for (const source of sources) add(join(root, source))
  return hash.digest('hex')
}

/** An install without devDependencies cannot build, and need not when dist/ came along. */
function hasTool({ name, tool, result }) {
  if (existsSync(tool)) return true
  if (name === 'library' && !existsSync(result)) {
    throw new Error('dist/ is missing and so are the devDependencies that build it: run npm ci, without --omit=dev')
  }
  console.error(`build: the ${name} is not built anew, for the devDependencies are not installed`)
  return false
}

/** Runs a Node program; its output is shown only when it fails. */
function run(args, cwd = root) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_ENV: 'production' }
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${args[0]} failed\n${output}`))))
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await build({ onlyStale: process.argv.includes('--if-stale') })
  } catch (error) {
    console.error(`build: ${error.message}`)
    process.exitCode = 1
  }
}
