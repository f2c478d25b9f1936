import { copyFile, type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { giveToFolderOwner } from './_files.ts'

const rotateAtStartBytes = 1024 * 1024
const tailBytes = 16 * 1024

/** What Postgres prints, in `postgres.log`. It and its predecessor `postgres.log.1` stay near 16 MiB each. */
export interface LogFile {
  path: string
  fd: number
  /** The end of what was printed since the last `mark`. */
  tail(): Promise<string>
  mark(): Promise<void>
  append(text: string): Promise<void>
  close(): Promise<void>
}

export interface LogLimits {
  maxBytes: number
  checkEveryMs: number
}

const usualLimits: LogLimits = { maxBytes: 16 * 1024 * 1024, checkEveryMs: 30_000 }

export async function openLogFile(directory: string, limits: LogLimits = usualLimits): Promise<LogFile> {
  const path = join(directory, 'postgres.log')
  if ((await sizeOf(path)) > rotateAtStartBytes) await rename(path, `${path}.1`)
  const file = await open(path, 'a+', 0o600)
  await giveToFolderOwner(path)
  const timer = setInterval(() => void bound(file, path, limits.maxBytes), limits.checkEveryMs)
  timer.unref()
  let start = await sizeOf(path)
  return {
    path,
    fd: file.fd,
    tail: () => readTail(file, start),
    async mark() {
      start = await sizeOf(path)
    },
    append: (text) => file.appendFile(text),
    async close() {
      clearInterval(timer)
      await file.close()
    },
  }
}

/** Postgres appends through its own descriptor, so the file is emptied in place instead of renamed. */
async function bound(file: FileHandle, path: string, maxBytes: number): Promise<void> {
  try {
    if ((await file.stat()).size <= maxBytes) return
    await copyFile(path, `${path}.1`)
    await file.truncate(0)
  } catch {
    // A full disk: room matters more than the old lines.
    await rm(`${path}.1`, { force: true }).catch(() => {})
    await file.truncate(0).catch(() => {})
  }
}

async function readTail(file: FileHandle, start: number): Promise<string> {
  const { size } = await file.stat()
  const from = Math.max(start > size ? 0 : start, size - tailBytes)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - from)), 0, size - from, from)
  return buffer.toString('utf8', 0, bytesRead)
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    (found) => found.size,
    () => 0,
  )
}
