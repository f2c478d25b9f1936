import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlatformError } from '../kernel/errors.ts'

/** How commands beside a running app find it. */
export interface AppAddress {
  readonly url: string
  readonly pid: number
  /** Signs in to its console and operations. */
  readonly token: string
}

const fileOf = (directory: string): string => join(directory, 'app.json')

/** Only the owner may read it: it holds the token. */
export function writeAppFile(directory: string, address: AppAddress): void {
  mkdirSync(directory, { recursive: true })
  const next = `${fileOf(directory)}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(address)}\n`, { mode: 0o600 })
  chmodSync(next, 0o600)
  renameSync(next, fileOf(directory))
}

/** Leaves the file of another process alone. */
export function removeAppFile(directory: string): void {
  if (readAppFile(directory)?.pid === process.pid) rmSync(fileOf(directory), { force: true })
}

/** The app that runs in `directory`; `undefined` when none does. */
export function readAppFile(directory: string): AppAddress | undefined {
  const address = read(directory)
  return address !== undefined && isAlive(address.pid) ? address : undefined
}

/** Throws APP_NOT_RUNNING when none does. */
export function runningApp(directory: string): AppAddress {
  const address = readAppFile(directory)
  if (address !== undefined) return address
  throw new PlatformError('APP_NOT_RUNNING', `no app runs in ${directory}`, {
    hint: 'Start it with `millrace dev`, or name the folder of the one that runs: --app <folder>.',
  })
}

function read(directory: string): AppAddress | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(directory), 'utf8'))
    return isAddress(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw new PlatformError('FORBIDDEN', `cannot read ${fileOf(directory)}`, {
      cause: error,
      hint: 'Run this as the user who started the app.',
    })
  }
}

function isAddress(value: unknown): value is AppAddress {
  if (typeof value !== 'object' || value === null) return false
  const { url, pid, token } = value as Partial<Record<string, unknown>>
  return typeof url === 'string' && typeof pid === 'number' && typeof token === 'string'
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
