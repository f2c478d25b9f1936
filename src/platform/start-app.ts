import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import type { ConsumerDeps } from '../delivery/consumer.ts'
import { registerContracts } from '../events/contracts/registry.ts'
import { Feed } from '../events/feed.ts'
import { GroupCommit } from '../events/group-commit.ts'
import { checkEpoch } from '../events/sequence.ts'
import { Sequencer } from '../events/sequencer.ts'
import { registerSchedules } from '../jobs/schedules.ts'
import { currentPlatform } from '../kernel/binding.ts'
import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { Faults } from '../kernel/faults.ts'
import { silentLogger } from '../kernel/logger.ts'
import { Metrics } from '../kernel/metrics.ts'
import { joinFleet } from '../store/member.ts'
import { coalescedNotify, listen } from '../store/notify.ts'
import { prepareTables } from '../sync/prepare-tables.ts'
import { adminOf } from './admin-of.ts'
import type { AppDefinition } from './app-definition.ts'
import { CacheFollower } from './cache-follower.ts'
import { CaptureDuty, slotName } from './capture-duty.ts'
import { Closers } from './closers.ts'
import { closeCaches, closeIndexes, makeConsumers, openCaches, openIndexes, prepareIndexes } from './followers.ts'
import { Jobs } from './jobs.ts'
import { keepTidy } from './keep-tidy.ts'
import { openHttp } from './open-http.ts'
import { openPlatformStore, prepareSchema } from './open-store.ts'
import { PassageWriter } from './passage-writer.ts'
import { Projections } from './projections.ts'
import { makePublisher } from './publisher.ts'
import { Replays } from './replays.ts'
import { runSetup } from './run-setup.ts'
import type { RunningApp, StartOptions, StartStep } from './running-app.ts'
import { settled } from './settled.ts'
import { openStreams } from './streams.ts'
import { Timekeeper } from './timekeeper.ts'

/** How long a handler may go on after `stop` before its signal aborts. */
const graceMs = 2000
/** How long start-up waits for followers to catch up before it says ready all the same. */
const catchUpMs = 5000
const captureGapMs = 2

/**
 * Brings an app up: Postgres, schema, tables, followers, HTTP, in this order; `stop` goes back the same way. Whatever
 * fails on the way up is closed again before the error is thrown.
 */
export async function startApp(definition: AppDefinition, options: StartOptions): Promise<RunningApp> {
  const closers = new Closers(options.logger ?? silentLogger)
  try {
    return await start(definition, options, closers)
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function start(definition: AppDefinition, options: StartOptions, closers: Closers): Promise<RunningApp> {
  const {
    location,
    logger = silentLogger,
    clock = systemClock,
    faults = new Faults(),
    metrics = new Metrics(),
    connections = 20,
  } = options
  const { parts } = definition
  const startedAt = new Date(clock.now())
  const step = stepper(options.onStep)

  const slot = parts.tables.length === 0 ? undefined : slotName(definition.name, location)
  const opened = await openPlatformStore({
    location,
    connections,
    logger,
    applicationName: `millrace ${definition.name}`,
    slot: slot ?? '',
  })
  closers.add('store', opened.close)
  const { store } = opened
  step('postgres', opened.description)

  const applied = await prepareSchema(store, location)
  await checkEpoch(store)
  await registerContracts(store, parts.events, {
    onBreak: options.environment === 'development' ? 'warn' : 'stop',
    logger,
    by: definition.name,
  })
  step('schema', applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`)
  // The platform's own timing is real time; `clock` is the app's: retries, expiry.
  const real = { clock: systemClock, logger }
  const member = await joinFleet(
    store,
    { app: definition.name, name: options.memberName ?? `${hostname()}:${process.pid}` },
    real,
  )
  closers.add('member', () => member.leave())

  // The object that stands for this running app wherever declarations look for their parts.
  const platform = {}
  const within = <T>(work: () => T): T => currentPlatform.run(platform, work)
  if (parts.tables.length > 0) await prepareTables(store, parts.tables)
  if (definition.setup !== undefined) await runSetup(store, definition.setup, within)
  step('tables', `${parts.tables.length} followed`)

  const stop = new AbortController()
  const abort = new AbortController()
  // Every loop and every handler at work listens: an app of many consumers is no leak.
  setMaxListeners(0, stop.signal, abort.signal)
  const feed = new Feed({ store, logger })
  const sequencer = new Sequencer({ store, member, ...real, advanced: () => feed.poke() })
  const tellLeader = coalescedNotify(store, 'millrace_published', captureGapMs, (error) =>
    logger.debug({ error: messageOf(error) }, 'the sequencer was not told'),
  )
  const committed = (): void => (sequencer.leading ? sequencer.poke() : tellLeader())
  const group = new GroupCommit(store, committed)
  const publisher = makePublisher({ store, group, clock, committed, expected: () => sequencer.expect() })

  const deps: ConsumerDeps = { store, feed, member, clock, logger, metrics, faults, published: committed }
  const passages = new PassageWriter({ store, member, logger })
  closers.add('passages', () => passages.stop())
  const caches = openCaches(parts, platform, deps)
  closers.add('caches', () => closeCaches(caches, platform))
  const follower = new CacheFollower(caches, { feed, clock, passed: (passage) => passages.add(passage) })
  const indexes = openIndexes(parts, platform, deps)
  closers.add('indexes', () => closeIndexes(indexes, platform))
  await prepareIndexes(indexes, store)
  closers.add(
    'streams',
    openStreams(parts, platform, deps, () => sequencer.expect()),
  )
  const consumers = makeConsumers(parts, indexes, deps)
  for (const consumer of consumers) await consumer.register()
  await registerSchedules(store, parts.schedules, clock.now())
  await member.serve(consumers.map(({ spec }) => spec.name))
  follower.start()
  const unsubscribe = feed.subscribe({ advanced: () => pokeAll(), cut() {}, resumed() {} })
  const replays = new Replays(parts.consumers, deps)
  const projections = new Projections(parts.projections, deps)
  await projections.prepare()
  const pokeAll = (): void => {
    for (const consumer of consumers) consumer.poke()
    replays.poke()
    projections.poke()
  }
  const jobs = new Jobs(parts, platform, deps)
  closers.add('jobs', () => jobs.close())
  const timekeeper = new Timekeeper({ store, member, ...real, appClock: clock, jobs, committed })
  const unfollowClock = clock.onMove?.(() => {
    timekeeper.poke()
    jobs.poke()
    pokeAll()
  })
  const notifications = listen(
    store,
    {
      millrace: (head) => Number(head) !== feed.head && feed.poke(),
      millrace_published: () => sequencer.poke(),
      millrace_scheduled: () => timekeeper.poke(),
      millrace_jobs: (what) => jobs.told(what),
      millrace_consumers: (name) => {
        for (const consumer of consumers) if (name === '' || consumer.spec.name === name) consumer.review()
        replays.review(name)
        projections.review(name)
      },
    },
    real,
  )
  const capture =
    slot === undefined
      ? undefined
      : new CaptureDuty({
          store,
          member,
          ...real,
          faults,
          metrics,
          slot,
          resnapshot: location.kind === 'embedded',
          tables: parts.tables,
          appended: committed,
        })
  const running = within(() => [
    sequencer.run(stop.signal),
    timekeeper.run(stop.signal),
    jobs.run(stop.signal, abort.signal),
    feed.run(stop.signal),
    ...consumers.map((consumer) => consumer.run(stop.signal, abort.signal)),
    replays.run(stop.signal, abort.signal),
    ...(capture === undefined ? [] : [capture.run(stop.signal)]),
    projections.run(stop.signal, abort.signal),
    keepTidy({ store, member, ...real }, definition.retention, stop.signal),
  ])
  closers.add('loops', async () => {
    const grace = setTimeout(() => abort.abort(), graceMs)
    await Promise.all([group.drain(), jobs.drain()])
    stop.abort()
    await Promise.all(running)
    clearTimeout(grace)
    await notifications.stop()
    unsubscribe()
    unfollowClock?.()
    follower.stop()
  })
  step('app', describe(definition))

  const waitSettled = (timeoutMs = 10_000): Promise<void> =>
    settled(
      {
        store,
        member,
        ...real,
        consumers: [...consumers, ...projections.consumers],
        caches: follower,
        slot,
        indexes,
        tables: parts.tables.map(({ name }) => name),
        due: () => timekeeper.isDue(),
      },
      timeoutMs,
    )
  await waitSettled(catchUpMs).catch((error: unknown) =>
    logger.info({ reason: messageOf(error) }, 'ready while followers still catch up'),
  )
  step('changes', slot === undefined ? 'no table is followed' : `slot ${slot}`)

  const admin = adminOf({ definition, options, deps, consumers, caches, follower, capture, publisher, startedAt })
  closers.add('admin', () => admin.stop())
  const gateway = await openHttp({ definition, options, platform, metrics, logger, store, publisher, admin })
  if (gateway !== undefined) {
    closers.add('http', () => gateway.close())
    step('http', gateway.url)
  }

  return {
    definition,
    url: gateway?.url,
    consoleUrl: gateway?.consoleToken === undefined ? undefined : `${gateway.url}/_/?t=${gateway.consoleToken}`,
    store,
    sql: store.sql,
    publish: publisher.publish,
    metrics,
    faults,
    operate: (name, input) => within(() => admin.run(name, input)),
    transaction: publisher.transaction,
    rebuildProjection: (name) => projections.rebuild(name),
    within,
    settled: waitSettled,
    stop: () => closers.close(),
  }
}

function stepper(onStep: StartOptions['onStep']): (name: StartStep['name'], message: string) => void {
  let since = performance.now()
  return (name, message) => {
    const now = performance.now()
    onStep?.({ name, message, tookMs: Math.round(now - since) })
    since = now
  }
}

function describe({ parts }: AppDefinition): string {
  return Object.entries(parts)
    .filter(([, list]) => list.length > 0)
    .map(([kind, list]) => `${list.length} ${list.length === 1 ? singular(kind) : kind}`)
    .join(' · ')
}

const singular = (plural: string): string => (plural === 'indexes' ? 'index' : plural.replace(/s$/, ''))
