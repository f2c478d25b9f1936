import type pg from 'pg'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store } from './store.ts'

/** Wake-ups from other processes. They carry no truth: whoever misses one finds the same by polling. */
export interface Notifications {
  stop(): Promise<void>
}

/**
 * Listens on a connection of its own and calls the function of the channel with the payload, and with '' after it
 * (re)connected, when something may have been missed. Channel names are
 * fixed texts of ours.
 */
export function listen(
  store: Store,
  channels: Readonly<Record<string, (payload: string) => void>>,
  deps: { clock: Clock; logger: Logger },
): Notifications {
  if (!store.sessions) return { stop: async () => undefined } // polling finds the same, a little later
  const stopping = new AbortController()
  const session = async (): Promise<void> => {
    const client = await store.connect()
    try {
      client.on('notification', ({ channel, payload }) => channels[channel]?.(payload ?? ''))
      const broken = new Promise<void>((resolve) => client.once('end', resolve).once('error', () => resolve()))
      for (const channel of Object.keys(channels)) await client.query(`listen ${channel}`)
      // Whatever was notified while nobody listened.
      for (const wake of Object.values(channels)) wake('')
      await Promise.race([broken, aborted(stopping.signal)])
    } finally {
      await end(client)
    }
  }
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await session().catch((error: unknown) =>
        deps.logger.debug({ error: messageOf(error) }, 'listening failed; polling goes on'),
      )
      await deps.clock.sleep(500, stopping.signal)
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** At once when that was before: stopped while it connects, a session would otherwise never end. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  // Told to stop while it began to listen.
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** A connection that is already broken has nothing left to end. */
async function end(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined)
}

/** Sends one wake-up for any number of calls within `gapMs`: notifications of one database commit one after another. */
export function coalescedNotify(
  store: Store,
  channel: string,
  gapMs: number,
  onError: (error: unknown) => void,
): () => void {
  let waiting = false
  return () => {
    if (waiting) return
    waiting = true
    setTimeout(() => {
      waiting = false
      store.sql`select pg_notify(${channel}, '')`.catch(onError)
    }, gapMs)
  }
}
