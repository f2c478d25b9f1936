import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { readLog } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Store } from '../store/store.ts'

const span = 2000

/**
 * Writes the positions after `after` up to `to` to `<folder>/events-<first>-<last>.ndjson.gz`, an event a line in the
 * order of the log. The file has its name only once it is complete and on disk. Returns its path.
 */
export async function writeArchive(store: Store, folder: string, after: number, to: number): Promise<string> {
  const path = join(folder, `events-${padded(after + 1)}-${padded(to)}.ndjson.gz`)
  const beginning = `${path}.part`
  await mkdir(folder, { recursive: true })
  await pipeline(lines(store, after, to), createGzip(), createWriteStream(beginning, { mode: 0o600 }))
  const file = await open(beginning, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beginning, path)
  return path
}

async function* lines(store: Store, after: number, to: number): AsyncGenerator<string> {
  let at = after
  while (at < to) {
    const { records, through } = await readLog(store, { after: at, span: Math.min(span, to - at) })
    if (through === at) return
    for (const record of records) if (record.position <= to) yield `${lineOf(record)}\n`
    at = through
  }
}

/** `data` and `meta` are JSON already; a line break in it can only stand between its parts. */
function lineOf({ position, id, type, version, key, data, meta, at }: LogRecord): string {
  const line = `{"position":${position},"id":"${id}","type":${JSON.stringify(type)},"version":${version},"key":${JSON.stringify(key)},"at":${JSON.stringify(at)},"meta":${meta ?? 'null'},"data":${data}}`
  return line.replaceAll(/[\r\n]/g, ' ')
}

/** Names of the archive files of a folder, in the order of the log; none where there is no folder yet. */
export async function listArchives(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => /^events-\d+-\d+\.ndjson\.gz$/.test(name)).sort()
}

const batch = 1000

const restoreText = `
  insert into millrace.kept (position, ordinal, id, type, version, key, data, meta, at, restored)
  select r.position, 0, r.id, r.type, r.version, r.key, r.data, r.meta, r.at, true
    from json_to_recordset($1::json) as r(position bigint, id uuid, type text, version smallint, key text, data json, meta json, at timestamptz)
    where r.position <= (select tail from millrace.sequencer)
  on conflict do nothing`

/**
 * Brings archived events back to their places, so that replays and consumers that begin at the beginning read them again.
 * Restoring a file twice changes nothing. Returns how many events came back; those still in the log are not touched.
 * @param progress told how many so far
 * @throws INPUT_MALFORMED when the file is not an archive or ends in the middle
 */
export async function restoreArchive(
  store: Store,
  folder: string,
  file: string,
  progress: (events: number) => void = () => undefined,
): Promise<number> {
  const path = join(folder, file)
  const gunzip = createGunzip()
  const source = createReadStream(path)
  source.on('error', (error) => gunzip.destroy(error))
  let restored = 0
  let number = 0
  let rows: string[] = []
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return
    const text = `[${rows.join()}]`
    rows = []
    restored += await store.withClient(async (client) => (await client.query(restoreText, [text])).rowCount ?? 0)
    progress(restored)
  }
  try {
    for await (const line of createInterface({ input: source.pipe(gunzip), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      rows.push(checked(line, path, number))
      if (rows.length === batch) await flush()
    }
    await flush()
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new PlatformError('INPUT_MALFORMED', `${path} is damaged after line ${number}`, { cause: error })
    throw error
  } finally {
    source.destroy()
  }
  return restored
}

function checked(line: string, path: string, number: number): string {
  try {
    const { position, type } = JSON.parse(line) as Partial<LogRecord>
    if (Number.isSafeInteger(position) && typeof type === 'string') return line
  } catch {
    // said below
  }
  throw new PlatformError('INPUT_MALFORMED', `${path}:${number} is not an archived event`)
}

/** So that names sort as numbers do. */
const padded = (position: number): string => String(position).padStart(15, '0')
