import { consumerViews } from './consumers.ts'
import type { Check, ConsumerView, Overview, Status } from './contract.ts'
import type { Rates } from './rates.ts'
import type { AdminSources } from './sources.ts'

const versions = new WeakMap<AdminSources, string>()

/** How the app is, also while Postgres is away: the checks say so then, and what stands in the store is left out. */
export async function overviewOf(
  sources: AdminSources,
  rates: Rates,
  consumers: () => Promise<ConsumerView[]> = () => consumerViews(sources, rates),
): Promise<Overview> {
  const { app, environment, version, feed, startedAt } = sources
  const stored = readStored(sources, consumers).catch((error: unknown) => ({ error }))
  const checks = await sources.checks()
  const told = checks.some(({ status }) => status === 'error')
  const read = await (told ? soon(stored) : stored)
  if ('error' in read && !told) throw read.error
  const { views, members } = 'error' in read ? { views: [], members: 0 } : read
  const sum = (of: (view: ConsumerView) => number): number => views.reduce((total, view) => total + of(view), 0)
  const totals = {
    lag: Math.max(0, ...views.map(({ lag }) => lag)),
    retrying: sum(({ retrying }) => retrying),
    held: sum(({ held }) => held),
    dead: sum(({ dead }) => dead),
    members,
  }
  return {
    app,
    environment,
    versions: { millrace: version, node: process.versions.node, postgres: versions.get(sources) ?? '' },
    startedAt: startedAt.toISOString(),
    status: statusOf(checks, totals),
    sentence: sentenceOf(views, checks, totals, feed.head),
    head: feed.head,
    totals,
    checks,
    rates: [...rates.points],
  }
}

function statusOf(checks: readonly Check[], { retrying, dead }: Overview['totals']): Status {
  if (dead > 0 || checks.some(({ status }) => status === 'error')) return 'failed'
  if (retrying > 0) return 'retrying'
  return checks.some(({ status }) => status === 'warning') ? 'waiting' : 'ok'
}

/** Behind by so few is the ordinary breath of a running system. */
const worthTelling = 1000

function sentenceOf(
  views: readonly ConsumerView[],
  checks: readonly Check[],
  totals: Overview['totals'],
  head: number,
): string {
  const broken = checks.find(({ status }) => status === 'error')
  if (broken !== undefined) return `${broken.message}.`
  const parts = checks.filter(({ status }) => status === 'warning').map(({ message }) => message)
  const behind = views.filter(({ lag }) => lag >= worthTelling)
  if (behind.length > 0)
    parts.push(`${behind.map(({ name, lag }) => `${name} is behind by ${lag.toLocaleString('en')}`).join(', ')}`)
  if (totals.retrying > 0) parts.push(`${count(totals.retrying, 'delivery waits', 'deliveries wait')} for a retry`)
  if (totals.dead > 0) parts.push(`${count(totals.dead, 'dead letter needs', 'dead letters need')} a look`)
  if (parts.length > 0) return `${capital(parts.join('; '))}.`
  return head === 0 ? 'Everything is up. Nothing has happened yet.' : 'Everything is up.'
}

const count = (n: number, one: string, many: string): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

interface Stored {
  views: ConsumerView[]
  members: number
}

/** A store that is in trouble may hang instead of failing: what is known already must not wait for it. */
const graceMs = 500

async function soon<T>(reading: Promise<T>): Promise<T | { error: Error }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ error: Error }>((resolve) => {
    timer = setTimeout(() => resolve({ error: new Error(`the store gave no answer within ${graceMs} ms`) }), graceMs)
  })
  try {
    return await Promise.race([reading, late])
  } finally {
    clearTimeout(timer)
  }
}

async function readStored(sources: AdminSources, consumers: () => Promise<ConsumerView[]>): Promise<Stored> {
  const [views, [row]] = await Promise.all([
    consumers(),
    sources.store.sql<{ members: number }>`select count(*)::int as members from millrace.members where until > now()`,
    rememberVersion(sources),
  ])
  return { views, members: row?.members ?? 0 }
}

async function rememberVersion(sources: AdminSources): Promise<void> {
  if (versions.has(sources)) return
  const [row] = await sources.store.sql<{ server_version: string }>`show server_version`
  versions.set(sources, row?.server_version.split(' ')[0] ?? '')
}
