import { onTestFinished } from 'vitest'
import { type Admin, createAdmin } from '../../src/admin/create-admin.ts'
import type { Frame } from '../../src/admin/live.ts'
import type { AdminParts, AdminSources } from '../../src/admin/sources.ts'
import { append } from '../../src/events/append.ts'
import { Feed } from '../../src/events/feed.ts'
import { tick } from '../../src/events/sequence.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { Metrics } from '../../src/kernel/metrics.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { testDatabase } from '../../src/testing/test-postgres.ts'

/** A log, its feed and the console's answers about it, without an app: the test writes the log. */
export interface AdminStage {
  readonly store: Store
  readonly feed: Feed
  readonly admin: Admin
  /** Appends events of a type at once; `data` of the n-th is `{ n, …more }`. Resolves when the feed has them. */
  write(type: string, count: number, more?: { key?: string; data?: object }): Promise<void>
  /** Opens a live stream and keeps its frames. */
  watch(request: { topics: string[]; filter?: object; lastEventId?: string }): Frame[]
}

const noParts: AdminParts = { tables: [], events: [], consumers: [], caches: [], indexes: [], routes: [] }

/** `more` stands in for what an app would fill in. */
export async function adminStage(
  parts: Partial<AdminParts> = {},
  more: Partial<AdminSources> = {},
): Promise<AdminStage> {
  const database = await testDatabase()
  const store = openStore({ url: database.url, connections: 4, logger: silentLogger, applicationName: 'admin test' })
  const feed = new Feed({ store, logger: silentLogger })
  const stop = new AbortController()
  // A feed that connects after the first write would begin behind it.
  const connected = new Promise<void>((resolve) => {
    const unsubscribe = feed.subscribe({
      advanced() {},
      cut() {},
      resumed() {
        unsubscribe()
        resolve()
      },
    })
  })
  const running = feed.run(stop.signal)
  await connected
  const admin = createAdmin({
    app: 'stage',
    environment: 'development',
    version: '0.0.0',
    parts: { ...noParts, ...parts },
    store,
    feed,
    metrics: new Metrics(),
    clock: systemClock,
    logger: silentLogger,
    startedAt: new Date(),
    memberName: 'stage',
    publish: async () => '',
    archive: undefined,
    consumers: () => [],
    cacheStats: () => undefined,
    cachePosition: () => feed.head,
    checks: async () => [],
    ...more,
  })
  onTestFinished(async () => {
    admin.stop()
    stop.abort()
    await running
    await store.close()
    await database.drop()
  })

  return {
    store,
    feed,
    admin,
    async write(type, count, { key, data } = {}) {
      const records = Array.from({ length: count }, (_, n) => ({
        id: uuidv7(),
        type,
        version: 1,
        key: key ?? null,
        data: JSON.stringify({ n, ...data }),
        meta: null,
      }))
      await store.withClient((client) => append(client, records))
      const head = (await tick(store)) ?? 0
      const reached = new Promise<void>((resolve) => {
        const look = (): void => {
          if (feed.head < head) return
          unsubscribe()
          resolve()
        }
        const unsubscribe = feed.subscribe({ advanced: look, cut() {}, resumed: look })
        look()
      })
      feed.poke()
      await reached
    },
    watch({ topics, filter = {}, lastEventId }) {
      const frames: Frame[] = []
      const stopWatching = admin.live.subscribe({ topics, filter, lastEventId }, (frame) => frames.push(frame) > 0)
      onTestFinished(stopWatching)
      return frames
    },
  }
}
