import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  type EmbeddedPostgres,
  openEmbeddedPostgres,
} from '../../src/adapters/embedded-postgres/open-embedded-postgres.ts'
import { removeEmbeddedPostgres } from '../../src/adapters/embedded-postgres/remove-embedded-postgres.ts'
import { checkHistory } from './chaos-checker.ts'
import { collect } from './chaos-collect.ts'
import type { Evidence, Finding } from './chaos-evidence.ts'
import { Fleet, type FleetCounts } from './chaos-fleet.ts'
import type { Random } from './chaos-random.ts'

export interface Counts extends FleetCounts {
  operations: number
  acknowledged: number
  events: number
  effects: number
  dead: number
  interventions: number
  replays: number
  restarts: number
  findings: number
}

export const noCounts: Counts = {
  ...{ operations: 0, acknowledged: 0, events: 0, effects: 0, dead: 0, interventions: 0, replays: 0 },
  ...{ kills: 0, restarts: 0, joins: 0, leaves: 0, stalls: 0, suicides: 0, findings: 0 },
}

/** How long everything may take to come to rest once nobody writes or kills any more. */
const restMs = 90_000

/** A Postgres that is killed, with a folder for histories. It syncs to disk as in production. */
export class ChaosBed {
  readonly directory: string
  #postgres: EmbeddedPostgres
  restarts = 0
  #episodes = 0

  private constructor(directory: string, postgres: EmbeddedPostgres) {
    this.directory = directory
    this.#postgres = postgres
  }

  static async open(): Promise<ChaosBed> {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-history-'))
    await chmod(directory, 0o711) // as root, Postgres runs as another user
    return new ChaosBed(directory, await openEmbeddedPostgres({ directory }))
  }

  /** `kill -9`; up again when it resolves. */
  async kill(): Promise<void> {
    this.restarts += 1
    const pid = Number(readFileSync(join(this.directory, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
    process.kill(pid, 'SIGKILL')
    // Its own supervisor waits longer with each quick end.
    await this.#postgres.close()
    this.#postgres = await openEmbeddedPostgres({ directory: this.directory })
  }

  /** `kill -9` of one server process, after which Postgres starts anew all of itself. */
  async killBackend(url: string, random: Random): Promise<void> {
    const [pid] = await this.#backends(url, random)
    if (pid === undefined) return
    this.restarts += 1
    process.kill(pid, 'SIGKILL')
  }

  /** Ends some connections and leaves the others. */
  async cut(url: string, random: Random): Promise<void> {
    const pids = (await this.#backends(url, random)).slice(0, random.int(1, 12))
    const text = 'select pg_terminate_backend(pid) from unnest($1::int[]) pid'
    await this.query(url, (client) => client.query(text, [pids])).catch(() => undefined) // it is starting anew just now
  }

  /** Server processes at work for the apps, in random order. */
  async #backends(url: string, random: Random): Promise<number[]> {
    const text = `select pid from pg_stat_activity
      where datname = current_database() and application_name <> 'chaos' order by pid`
    const found = await this.query(url, (client) => client.query<{ pid: number }>(text)).catch(() => ({ rows: [] }))
    return found.rows
      .map(({ pid }) => ({ pid, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ pid }) => pid)
  }

  async episode(): Promise<{ url: string; directory: string }> {
    this.#episodes += 1
    const name = `episode_${this.#episodes}`
    const directory = join(this.directory, name)
    mkdirSync(directory)
    await this.query(this.#postgres.url, (client) => client.query(`create database ${name}`))
    const url = new URL(this.#postgres.url)
    url.pathname = `/${name}`
    return { url: url.href, directory }
  }

  async forget({ url, directory }: { url: string; directory: string }): Promise<void> {
    const name = new URL(url).pathname.slice(1)
    await this.query(this.#postgres.url, (client) => client.query(`drop database ${name} with (force)`))
    rmSync(directory, { recursive: true, force: true })
  }

  /** On a connection of its own, as soon as Postgres gives one. */
  async query<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#connect(url)
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  async #connect(url: string): Promise<pg.Client> {
    for (let tries = 1; ; tries += 1) {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, application_name: 'chaos' })
      client.on('error', () => undefined) // told by the query under way
      try {
        await client.connect()
        return client
      } catch (error) {
        if (tries === 100) throw error
        await sleep(100)
      }
    }
  }

  async close(keep: boolean): Promise<void> {
    await this.#postgres.close()
    if (!keep) await removeEmbeddedPostgres(this.directory)
  }
}

/** Disturbs a fleet at random, lets it come to rest, and compares what was asked with what is there. */
export async function runEpisode(
  bed: ChaosBed,
  { seed, random, rounds }: { seed: number; random: Random; rounds: number },
): Promise<{ counts: Counts; findings: Finding[]; evidence: Evidence }> {
  const place = await bed.episode()
  const restartsBefore = bed.restarts
  const fleet = new Fleet({ ...place, seed })
  const findings: Finding[] = []
  try {
    await Promise.all([fleet.join(), fleet.join()])
    const next = disturbances(random)
    for (let round = 1; round <= rounds; round += 1) {
      await sleep(random.int(200, 2000))
      await disturb(next.next().value, { bed, fleet, random, url: place.url })
    }
    await sleep(random.int(300, 1500))
    await fleet.quiet()
    const unrest = await comesToRest(bed, place.url)
    if (unrest !== undefined) findings.push({ rule: 'everything comes to rest', message: unrest })
  } finally {
    await fleet.end()
  }
  const evidence = await bed.query(place.url, (client) => collect(client, place.directory))
  findings.push(...fleet.complaints.map((message) => ({ rule: 'processes end only when they are told to', message })))
  findings.push(...checkHistory(evidence))
  if (findings.length === 0) await bed.forget(place)
  const counts = { ...countsOf(evidence), ...fleet.counts, restarts: bed.restarts - restartsBefore }
  return { counts: { ...counts, findings: findings.length }, findings, evidence }
}

type Disturbance = 'kill' | 'postgres' | 'backend' | 'both' | 'cut' | 'leave' | 'join' | 'stall' | 'poison'

/** What ten rounds are made of, in an order that chance gives: each kind comes in a short run, too. */
const tenRounds: readonly Disturbance[] = [
  ...(['kill', 'kill', 'postgres', 'backend', 'both', 'cut', 'leave', 'join', 'stall', 'poison'] as const),
]

function* disturbances(random: Random): Generator<Disturbance, never> {
  for (;;) {
    const deck = [...tenRounds]
    while (deck.length > 0) yield deck.splice(random.int(0, deck.length - 1), 1)[0] as Disturbance
  }
}

async function disturb(
  how: Disturbance,
  { bed, fleet, random, url }: { bed: ChaosBed; fleet: Fleet; random: Random; url: string },
): Promise<void> {
  const one = random.one(fleet.names)
  switch (how) {
    case 'kill':
      return fleet.kill(one)
    case 'postgres':
      return bed.kill()
    case 'backend':
      return bed.killBackend(url, random)
    case 'cut':
      return bed.cut(url, random)
    case 'both':
      fleet.kill(one)
      return bed.kill()
    case 'leave':
      return fleet.leave(one)
    case 'join':
      return fleet.join()
    case 'stall':
      return fleet.stall(one, random.int(1000, 3000))
    case 'poison':
      return fleet.poison(one, random.one([1, 2, 9]))
  }
}

/** Says what still moves or waits after a long time; `undefined` once nothing does. */
async function comesToRest(bed: ChaosBed, url: string): Promise<string | undefined> {
  const deadline = Date.now() + restMs
  for (;;) {
    const rest = await bed
      .query(url, async (client) => (await client.query<Record<string, number>>(restText)).rows[0])
      .catch(() => undefined)
    const moving = Object.entries(rest ?? { 'Postgres that does not answer': 1 }).filter(([, count]) => count > 0)
    if (moving.length === 0) return undefined
    if (Date.now() > deadline) return moving.map(([what, count]) => `${count} ${what}`).join(', ')
    await sleep(100)
  }
}

const restText = `select
  ((select count(*) from millrace.events) - (select head from millrace.sequencer))::int as "events without a position",
  (select count(*) from millrace.scheduled)::int as "events for later",
  (select count(*) from millrace.deliveries where state <> 'dead' and consumer not in
    (select 'replay:' || id from millrace.replays where state = 'cancelled'))::int as "deliveries that wait",
  (select count(*) from millrace.consumer_slots s, millrace.sequencer q where s.position < q.head
    and not starts_with(s.consumer, 'replay:'))::int as "slots behind",
  (select count(*) from millrace.replays where state not in ('done', 'cancelled'))::int as "replays at work",
  (select count(*) from millrace.consumers where paused and not starts_with(name, 'replay:'))::int as "consumers paused"`

function countsOf({ operations, log, effects, deliveries, interventions, consumers }: Evidence): Counts {
  return {
    ...noCounts,
    operations: operations.length,
    acknowledged: operations.filter(({ outcome }) => outcome === 'ok').length,
    events: log.length,
    effects: effects.length,
    dead: deliveries.length,
    interventions: interventions.length,
    replays: consumers.filter(({ name }) => name.startsWith('replay:')).length,
  }
}
