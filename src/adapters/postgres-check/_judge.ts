import pg from 'pg'
import type { Facts, Provider } from './_facts.ts'
import type { Finding } from './finding.ts'

const oldestVersion = 14
const gigabyte = 1024 ** 3

/** What each fact means for us, in the order in which to mend it. */
export function judge(facts: Facts): Finding[] {
  return [
    version,
    writable,
    encoding,
    walLevel,
    create,
    replicate,
    slots,
    senders,
    slotBound,
    idleSlots,
    durable,
    trigrams,
  ].map((rule) => rule(facts))
}

function version({ version, versionNumber }: Facts): Finding {
  if (versionNumber >= oldestVersion * 10_000) return ok(`Postgres ${version}`)
  return error(
    `Postgres ${version} is too old: ${oldestVersion} or newer is needed`,
    'Upgrade the server (pg_upgrade), or unset DATABASE_URL to use the embedded Postgres.',
  )
}

function writable({ standby, readOnly, database }: Facts): Finding {
  if (standby)
    return error('The server is a standby, which cannot be written', 'Use the address of the primary in DATABASE_URL.')
  if (!readOnly) return ok('The server is a primary and can be written')
  return error(
    'Transactions are read-only by default',
    `ALTER DATABASE ${name(database)} SET default_transaction_read_only = off;`,
  )
}

function encoding({ encoding, database }: Facts): Finding {
  if (encoding === 'UTF8') return ok('The encoding is UTF8')
  return error(
    `The encoding of the database is ${encoding}; text and JSON need UTF8`,
    `CREATE DATABASE ${name(`${database}_utf8`)} ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;  -- and use it in DATABASE_URL`,
  )
}

function walLevel({ walLevel, provider }: Facts): Finding {
  if (walLevel === 'logical') return ok('wal_level is logical: changes can be followed')
  return error(`wal_level is ${walLevel}; following changes needs logical`, mendWalLevel[provider])
}

const mendWalLevel: Record<Provider, string> = {
  self: `ALTER SYSTEM SET wal_level = 'logical';  -- then restart the server`,
  rds: 'Set rds.logical_replication = 1 in the parameter group, then reboot the instance.',
  cloudsql: 'gcloud sql instances patch INSTANCE --database-flags=cloudsql.logical_decoding=on',
  azure: 'az postgres flexible-server parameter set --name wal_level --value logical, then restart the server.',
}

function create({ mayCreate, database, role }: Facts): Finding {
  if (mayCreate) return ok(`${role} may create schemas in ${database}`)
  return error(
    `${role} may not create schemas in ${database}`,
    `GRANT CREATE ON DATABASE ${name(database)} TO ${name(role)};`,
  )
}

function replicate({ mayReplicate, role, provider }: Facts): Finding {
  if (mayReplicate) return ok(`${role} may read the log of changes`)
  const mend =
    provider === 'rds' ? `GRANT rds_replication TO ${name(role)};` : `ALTER ROLE ${name(role)} WITH REPLICATION;`
  return error(`${role} may not read the log of changes`, mend)
}

function slots({ maxSlots, usedSlots, ownSlot, idleSlots, provider }: Facts): Finding {
  if (ownSlot) return ok('Our replication slot is there')
  if (usedSlots < maxSlots) return ok(`${maxSlots - usedSlots} of ${maxSlots} replication slots are free`)
  const [idle] = idleSlots
  const drop =
    idle === undefined
      ? ''
      : `SELECT pg_drop_replication_slot(${pg.escapeLiteral(idle.name)});  -- if nobody needs it any more; or `
  return error(
    `All ${maxSlots} replication slots are taken`,
    drop + setting(provider, 'max_replication_slots', String(maxSlots + 8), restart),
  )
}

function senders({ maxSenders, usedSenders, provider }: Facts): Finding {
  if (usedSenders < maxSenders) return ok(`${maxSenders - usedSenders} of ${maxSenders} WAL senders are free`)
  return error(
    `All ${maxSenders} WAL senders are taken`,
    setting(provider, 'max_wal_senders', String(maxSenders + 8), restart),
  )
}

function slotBound({ slotKeepMb, provider }: Facts): Finding {
  if (slotKeepMb >= 0) return ok(`A replication slot keeps at most ${slotKeepMb} MB of log`)
  return warning(
    'A replication slot that nobody reads can fill the disk of the server',
    setting(provider, 'max_slot_wal_keep_size', `'10GB'`, reload),
  )
}

function idleSlots({ idleSlots }: Facts): Finding {
  const heavy = idleSlots.filter((slot) => slot.bytes > gigabyte)
  const [first] = heavy
  if (first === undefined) return ok('No forgotten replication slot keeps log on the disk')
  const total = heavy.reduce((sum, slot) => sum + slot.bytes, 0)
  const drops = heavy.map((slot) => `SELECT pg_drop_replication_slot(${pg.escapeLiteral(slot.name)});`)
  return warning(
    `Replication slots that nobody reads keep ${(total / gigabyte).toFixed(1)} GB of log on the disk`,
    drops.join('\n'),
  )
}

function durable({ fsync, provider }: Facts): Finding {
  if (fsync === 'on') return ok('fsync is on: what is committed survives a crash')
  return warning(
    'fsync is off: a crash of the machine can lose or damage data',
    setting(provider, 'fsync', 'on', reload),
  )
}

function trigrams({ trigrams }: Facts): Finding {
  if (trigrams) return ok('pg_trgm is there: search tolerates typing errors')
  return warning(
    'pg_trgm is not installed; search cannot tolerate typing errors',
    'apt install postgresql-contrib  (or the package of that name for your system)',
  )
}

const restart = 'then restart the server'
const reload = 'then SELECT pg_reload_conf();'

/** Only a server of one's own takes ALTER SYSTEM. */
function setting(provider: Provider, name: string, value: string, then: string): string {
  if (provider === 'self') return `ALTER SYSTEM SET ${name} = ${value};  -- ${then}`
  return `Set ${name} = ${value} in the parameters of the instance, ${then}.`
}

function name(identifier: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(identifier) ? identifier : pg.escapeIdentifier(identifier)
}

function ok(what: string): Finding {
  return { level: 'ok', what }
}

function warning(what: string, mend: string): Finding {
  return { level: 'warning', what, mend }
}

function error(what: string, mend: string): Finding {
  return { level: 'error', what, mend }
}
