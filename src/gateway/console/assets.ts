import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

export interface Asset {
  readonly body: Buffer
  readonly type: string
  /** Its name changes with its content, so it may be kept for ever. */
  readonly immutable: boolean
}

/** The files of a built console, all in memory: what is not listed cannot be asked for. */
export interface Assets {
  readonly files: ReadonlyMap<string, Asset>
  /** What every page shows; `undefined` when the console was not built. */
  readonly index: { readonly body: Buffer; readonly policy: string } | undefined
}

const types: Partial<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/** Bundlers name files `index-BhT3xk2_.js`. */
const hashedName = /[-.][\w-]{8,}\.\w+$/

/** @param folder the built console; one that does not exist is empty */
export async function loadAssets(folder: string): Promise<Assets> {
  const files = new Map<string, Asset>()
  for (const file of await filesBelow(folder)) {
    const path = relative(folder, file).split(sep).join('/')
    files.set(path, {
      body: await readFile(file),
      type: types[extname(file).toLowerCase()] ?? 'application/octet-stream',
      immutable: path.startsWith('assets/') && hashedName.test(path),
    })
  }
  const index = files.get('index.html')
  return { files, index: index === undefined ? undefined : { body: index.body, policy: pagePolicy(index.body) } }
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Scripts run only from our files, or inline when they stand in the page as built. */
function pagePolicy(page: Buffer): string {
  const inline = [...page.toString('utf8').matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text = '']) => text)
  const hashes = inline.map((text) => ` 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return [
    "default-src 'self'",
    `script-src 'self'${hashes.join('')}`,
    // Charts and floating parts place themselves with style attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ].join('; ')
}
