import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { messageOf, PlatformError } from '../kernel/errors.ts'

/** Where an app lies. */
export interface AppPlace {
  /** Absolute. */
  readonly folder: string
  /** The file that exports the app. */
  readonly file: string
  /** The companion that sends load, where package.json names one. */
  readonly load: string | undefined
}

const candidates = ['src/app.ts', 'src/app.js', 'src/app.mts', 'src/app.mjs', 'app.ts', 'app.js', 'app.mts', 'app.mjs']

/**
 * Finds the app of a folder: `{"millrace":{"app":"src/app.ts"}}` in its package.json, or else src/app.ts, src/app.js,
 * app.ts … A file may be named instead of a folder. Throws APP_INVALID when there is none.
 */
export function findApp(given: string): AppPlace {
  const path = resolve(given)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined)
    throw new PlatformError('APP_INVALID', `there is no folder ${path}`, { hint: 'Name the folder of the app.' })
  if (stats.isFile()) return { folder: resolve(path, '..'), file: path, load: undefined }
  const named = readManifest(path)
  const file =
    named.app === undefined ? candidates.map((name) => join(path, name)).find(existsSync) : join(path, named.app)
  if (file === undefined) {
    throw new PlatformError('APP_INVALID', `there is no app in ${path}`, {
      hint: `Write src/app.ts, or name your file in package.json: "millrace": { "app": "src/my-app.ts" }.`,
    })
  }
  if (!existsSync(file)) {
    throw new PlatformError('APP_INVALID', `package.json names the app ${relative(path, file)}, which does not exist`, {
      hint: `Correct "millrace": { "app": … } in ${join(path, 'package.json')}.`,
    })
  }
  return { folder: path, file, load: named.load === undefined ? undefined : join(path, named.load) }
}

interface Named {
  app?: string
  load?: string
}

function readManifest(folder: string): Named {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return {}
  const manifest = parse(path)
  const entry: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'millrace') : undefined
  if (entry === undefined) return {}
  if (typeof entry !== 'object' || entry === null) throw invalid(path, '"millrace" is not an object')
  for (const [key, value] of Object.entries(entry)) {
    if (key !== 'app' && key !== 'load') throw invalid(path, `"millrace" has an unknown key "${key}"`)
    if (typeof value !== 'string' || value === '') throw invalid(path, `"millrace.${key}" is not the path of a file`)
  }
  return entry
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new PlatformError('APP_INVALID', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Correct the JSON.',
    })
  }
}

const invalid = (path: string, what: string): PlatformError =>
  new PlatformError('APP_INVALID', `${path}: ${what}`, { hint: 'Write it as "millrace": { "app": "src/app.ts" }.' })
