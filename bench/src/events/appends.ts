import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'
import { app, event, startApp, stream, t } from 'millrace'
import { type Figures, round, say } from '../report.ts'

/** Appends some events to a stream that must be at `revision`; returns its revision then. */
type Append = (stream: string, revision: number, count: number) => Promise<number>

interface Appender {
  append: Append
  close(): Promise<void>
}

const writers = 16
/** Then a writer goes on with a new stream. */
const appendsPerStream = 10

/** Sixteen writers at once, each with streams of its own and the exact expected revision: singly and in tens. */
export async function appends(name: string, open: () => Promise<Appender>, seconds: number): Promise<Figures> {
  const appender = await open()
  try {
    await measure(appender.append, 'warm', 1, 1)
    const single = await measure(appender.append, 'single', 1, seconds)
    const tens = await measure(appender.append, 'tens', 10, seconds)
    say(`${name}: ${Math.round(single)} appends/s, ${Math.round(tens * 10)} events/s in appends of ten`)
    return { append_per_s: round(single), append_tens_per_s: round(tens * 10) }
  } finally {
    await appender.close()
  }
}

async function measure(append: Append, prefix: string, count: number, seconds: number): Promise<number> {
  const startedAt = performance.now()
  const end = startedAt + seconds * 1000
  let made = 0
  const write = async (writer: number): Promise<void> => {
    for (let id = 0; performance.now() < end; id += 1) {
      let revision = 0
      for (let i = 0; i < appendsPerStream && performance.now() < end; i += 1) {
        revision = await append(`${prefix}-${writer}-${id}`, revision, count)
        made += 1
      }
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return made / ((performance.now() - startedAt) / 1000)
}

export async function millraceAppender(url: string): Promise<Appender> {
  const deposited = event('deposited', { amount: t.int(), currency: t.string(), note: t.string() })
  const account = stream('account', { events: { deposited }, initial: () => 0, evolve: (n: number) => n + 1 })
  const running = await startApp(app('bench', { account }), { location: { kind: 'url', url } })
  return {
    append: (id, revision, count) =>
      account.append(
        id,
        Array.from({ length: count }, () => ({ type: 'deposited', data: deposit() }) as const),
        { expect: revision },
      ),
    close: () => running.stop(),
  }
}

export async function emmettAppender(url: string): Promise<Appender> {
  const store = getPostgreSQLEventStore(url)
  await store.schema.migrate()
  return {
    async append(id, revision, count) {
      const events = Array.from({ length: count }, () => ({ type: 'deposited', data: deposit() }))
      const expectedStreamVersion = revision === 0 ? ('STREAM_DOES_NOT_EXIST' as const) : BigInt(revision)
      const result = await store.appendToStream(id, events, { expectedStreamVersion })
      return Number(result.nextExpectedStreamVersion)
    },
    close: () => store.close(),
  }
}

const deposit = () => ({ amount: 125, currency: 'EUR', note: 'as agreed by telephone' })
