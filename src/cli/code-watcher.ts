import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

/** Editors write a file in several steps. */
const quietMs = 40

const code = /\.([cm]?[jt]sx?|json|sql)$/
const ignoredFile = /^\.|\.(test|spec)\.[^.]+$|~$/
const ignoredFolders = new Set(['node_modules', 'dist', 'build', 'coverage'])

/**
 * Tells of saved code below a folder. One watcher for each folder: Node 20's own recursive one on Linux reads
 * node_modules and loses files that an editor replaces.
 */
export class CodeWatcher {
  readonly #watchers = new Map<string, FSWatcher>()
  #changed = false
  #wake: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(folder: string) {
    this.#add(folder)
  }

  /** Resolves when something was saved since the last call. */
  async next(signal: AbortSignal): Promise<void> {
    while (!this.#changed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    this.#changed = false
  }

  /** As though something had been saved. */
  poke(): void {
    clearTimeout(this.#timer)
    this.#changed = true
    this.#wake?.()
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
  }

  #add(folder: string): void {
    if (this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, (_event, name) => this.#see(folder, name))
      // A folder that went away tells no more.
      watcher.on('error', () => this.#drop(folder))
      this.#watchers.set(folder, watcher)
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && isWatched(entry.name)) this.#add(join(folder, entry.name))
      }
    } catch (error) {
      const gone = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      if (!gone) throw error
      this.#drop(folder)
    }
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #see(folder: string, name: string | null): void {
    if (name === null) this.#settle()
    else if (code.test(name)) {
      if (!ignoredFile.test(name)) this.#settle()
    } else if (isWatched(name) && isFolder(join(folder, name))) {
      this.#drop(join(folder, name)) // one of this name may have been replaced
      this.#add(join(folder, name))
      this.#settle()
    }
  }

  #settle(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.poke(), quietMs)
  }
}

const isWatched = (name: string): boolean => !name.startsWith('.') && !ignoredFolders.has(name)

function isFolder(path: string): boolean {
  try {
    readdirSync(path)
    return true
  } catch {
    return false
  }
}
