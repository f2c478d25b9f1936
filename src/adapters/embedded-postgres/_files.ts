import { randomBytes } from 'node:crypto'
import { chown, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isRoot } from './_account.ts'

/** Writes a small file whole or not at all, with this mode, owned by the owner of its folder. */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await giveToFolderOwner(temporary)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Removes what `writeWhole` left in a folder when it was killed. Only the holder of the folder may call this. */
export async function sweepUnfinished(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (/\.[0-9a-f]{12}\.tmp$/.test(entry)) await rm(join(folder, entry), { recursive: true, force: true })
  }
}

/** Root that works in the folder of somebody else leaves files that this one can use later. */
export async function giveToFolderOwner(path: string): Promise<void> {
  if (!isRoot()) return
  const owner = await stat(dirname(path))
  await chown(path, owner.uid, owner.gid)
}

/** The text of a file, or `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The object in a JSON file; `undefined` when it is missing or damaged. */
export async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
