import { totalmem } from 'node:os'

export type Settings = Readonly<Record<string, string | number>>

const megabyte = 1024 * 1024

/**
 * What Postgres is told beyond its defaults. All of it goes on the command line: it takes effect on every start, needs
 * no file and cannot be half written. `settings` of the caller come last and win, except for what the launcher relies on.
 */
export function serverSettings(listen: Listen, extra: Settings, fast: boolean): Settings {
  return { ...durable, shared_buffers: sharedBuffers(), ...(fast ? unsafe : {}), ...extra, ...required(listen) }
}

/** Where the server is reached. */
export interface Listen {
  /** On 127.0.0.1, and part of the name of the socket. */
  port: number
  /** The folder of a Unix socket, if its path is short enough for one. */
  socketFolder: string | undefined
}

/** As arguments of `postgres`. */
export function settingArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** An app that follows changes, on one machine that it shares with other work. */
const durable: Settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  wal_level: 'logical',
  // One slot per app is the rule; the rest is for tools and for other readers.
  max_replication_slots: 16,
  max_wal_senders: 16,
  max_connections: 100,
  // A forgotten slot loses its place rather than filling the disk.
  max_slot_wal_keep_size: '10GB',
  // Fewer checkpoints under load, and still a recovery of seconds after kill -9.
  max_wal_size: '2GB',
  wal_buffers: '16MB',
  // The bundled build has neither lz4 nor zstd, and pglz costs two shared cores more than it saves an SSD.
  wal_compression: 'off',
  random_page_cost: 1.1,
  // Statements here are short: compiling them costs more than it gains.
  jit: 'off',
  // Our role is named like our schema: by default, tables that people make without naming a schema would land in it, and
  // their `events` would be ours.
  search_path: 'public',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%a ',
  // Statements carry people's data, and a conflict that the app expects is not worth a kilobyte of log.
  log_min_error_statement: 'fatal',
  log_checkpoints: 'off',
}

/** For tests: what survives a crash of Postgres is not kept through a crash of the machine. Semantics stay. */
const unsafe: Settings = { fsync: 'off', full_page_writes: 'off', max_wal_size: '4GB' }

function required({ port, socketFolder }: Listen): Settings {
  return {
    port,
    listen_addresses: '127.0.0.1',
    // Commas separate folders there, quotes keep one whole.
    unix_socket_directories: socketFolder === undefined ? '' : `"${socketFolder.replaceAll('"', '""')}"`,
    logging_collector: 'off',
    log_destination: 'stderr',
  }
}

/** A sixteenth of the memory between 128 and 256 MB; pages are only taken when used. */
function sharedBuffers(): string {
  return `${Math.min(256, Math.max(128, Math.floor(totalmem() / 16 / megabyte)))}MB`
}
