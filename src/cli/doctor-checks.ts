import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { attachEmbeddedPostgres } from '../adapters/embedded-postgres/attach-embedded-postgres.ts'
import { checkPostgres } from '../adapters/postgres-check/check-postgres.ts'
import type { Check } from '../admin/contract.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { type AppAddress, readAppFile } from './app-file.ts'
import { callApp } from './call-app.ts'
import type { Environment } from './environment.ts'
import { type AppPlace, findApp } from './find-app.ts'
import { loadApp } from './load-app.ts'
import { showError } from './shown-error.ts'

type CheckOf = Omit<Check, 'name'>

/** Looks at everything an app needs, one after the other. Changes nothing. */
export async function* doctorChecks(folder: string, environment: Environment): AsyncGenerator<Check> {
  yield { name: 'node', ...nodeCheck() }
  yield { name: 'package', ...packageCheck(environment) }
  const place = await attempt(() => findApp(folder))
  if ('status' in place) yield { name: 'app', ...place }
  else yield { name: 'app', ...(await appCheck(place)) }

  const directory = environment.directoryOf('status' in place ? resolve(folder) : place.folder)
  yield { name: 'folder', ...folderCheck(directory) }
  const app = await attempt(async () => readAppFile(directory))
  if (app !== undefined && 'status' in app) yield { name: 'running', ...app }
  else yield { name: 'running', ...(await runningCheck(app, environment)) }

  if (environment.databaseUrl === undefined) yield { name: 'postgres', ...(await embeddedCheck(directory)) }
  else
    for (const check of await databaseChecks(environment.directUrl ?? environment.databaseUrl))
      yield { name: 'postgres', ...check }
}

function nodeCheck(): CheckOf {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const message = `Node ${process.versions.node}`
  if (major > 20 || (major === 20 && minor >= 19)) return { status: 'ok', message }
  return { status: 'error', message: `${message} is too old`, mend: 'Install Node 20.19 or newer: https://nodejs.org' }
}

function packageCheck({ databaseUrl }: Environment): CheckOf {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const found = createRequire(import.meta.url).resolve(name)
    const manifest: unknown = JSON.parse(readFileSync(join(dirname(found), '../package.json'), 'utf8'))
    const version: unknown =
      typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined
    return { status: 'ok', message: `${name} ${version}` }
  } catch (error) {
    return {
      status: databaseUrl === undefined ? 'error' : 'ok',
      message: `${name} is not installed (${messageOf(error).split('\n')[0]})`,
      ...(databaseUrl === undefined && { mend: 'npm install --include=optional, or set DATABASE_URL' }),
    }
  }
}

async function appCheck(place: AppPlace): Promise<CheckOf> {
  const other = otherMillrace(place.folder)
  if (other !== undefined) {
    return {
      status: 'error',
      message: `the app uses another Millrace than this command: ${other}`,
      mend: `Run its own: npx millrace, in ${place.folder}`,
    }
  }
  try {
    const { name, parts } = await loadApp(place)
    const counts = Object.entries(parts).filter(([, list]) => list.length > 0)
    return {
      status: 'ok',
      message: `${name}, ${counts.map(([kind, list]) => `${list.length} ${kind}`).join(', ')} (${place.file})`,
    }
  } catch (error) {
    const { message, place: at, hint } = showError(error, place.folder)
    const where = at === undefined ? place.file : `${at.file}:${at.line}`
    return { status: 'error', message: `${message} (${where})`, mend: hint ?? `Correct ${where}` }
  }
}

/** Two copies do not know each other's parts. */
function otherMillrace(folder: string): string | undefined {
  try {
    const theirs = realpathSync(createRequire(join(folder, 'package.json')).resolve('millrace/package.json'))
    const ours = realpathSync(join(import.meta.dirname, '../../package.json'))
    return theirs === ours ? undefined : dirname(theirs)
  } catch {
    return undefined // loading the app says better what is missing
  }
}

function folderCheck(directory: string): CheckOf {
  try {
    if (!existsSync(directory)) return { status: 'ok', message: `${directory} is made at the first start` }
    accessSync(directory, constants.R_OK | constants.W_OK)
    return { status: 'ok', message: directory }
  } catch (error) {
    return {
      status: 'error',
      message: messageOf(error),
      mend: `Make ${directory} yours (chown), or name another in MILLRACE_DIR`,
    }
  }
}

async function runningCheck(app: AppAddress | undefined, { port }: Environment): Promise<CheckOf> {
  if (app === undefined) {
    if (port === 0 || (await isFree(port))) return { status: 'ok', message: 'no app runs here' }
    return {
      status: 'warning',
      message: `no app runs here, and port ${port} is taken`,
      mend: 'Name another with PORT, or PORT=0',
    }
  }
  const answer = await attempt(() => callApp(app, 'overview', {}))
  if (answer.status === 'error' && 'message' in answer)
    return { ...answer, message: `process ${app.pid} at ${app.url}: ${answer.message}` }
  const sentence = 'sentence' in answer ? answer.sentence : ''
  return { status: 'ok', message: `process ${app.pid}, ${app.url}/_/?t=${app.token}  ${sentence}`.trimEnd() }
}

async function embeddedCheck(directory: string): Promise<CheckOf> {
  try {
    const { url, version, port, pid } = await attachEmbeddedPostgres(directory)
    const findings = await checkPostgres(url, { slot: 'millrace' })
    const bad = findings.find(({ level }) => level === 'error')
    if (bad !== undefined && bad.level !== 'ok') return { status: 'error', message: bad.what, mend: bad.mend }
    return { status: 'ok', message: `Postgres ${version}, embedded, 127.0.0.1:${port}, held by process ${pid}` }
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'POSTGRES_NOT_RUNNING') {
      return { status: 'ok', message: 'embedded, started with the app' }
    }
    return failed(error)
  }
}

async function databaseChecks(url: string): Promise<CheckOf[]> {
  try {
    return (await checkPostgres(url)).map((finding) =>
      finding.level === 'ok'
        ? { status: 'ok', message: finding.what }
        : { status: finding.level, message: finding.what, mend: finding.mend },
    )
  } catch (error) {
    return [failed(error)]
  }
}

async function attempt<T>(work: () => T | Promise<T>): Promise<T | (CheckOf & { status: 'error' })> {
  try {
    return await work()
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): CheckOf & { status: 'error' } {
  const { message, hint } = showError(error)
  return { status: 'error', message, ...(hint !== undefined && { mend: hint }) }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
