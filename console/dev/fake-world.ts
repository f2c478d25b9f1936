import type {
  Check,
  ConsumerView,
  DeliveryView,
  EventDetail,
  Hop,
  Journey,
  Overview,
  RatePoint,
  Status,
  StreamTopics,
  Topology,
} from '../../src/admin/contract.ts'
import { detail, dice, FakeLog, type FakeRecord, summary } from './fake-log.ts'
import { followersOf, orderPlacedSchema, topology } from './film-shop.ts'

/** `busy` is a good day, `trouble` a bad one, `empty` the first minute of an app. */
export type Scenario = 'busy' | 'trouble' | 'empty'

export interface FakeWorldOptions {
  scenario?: Scenario
  environment?: Overview['environment']
}

/** Everything the contract answers, made up but consistent with itself. */
export class FakeWorld {
  readonly log: FakeLog
  readonly scenario: Scenario
  readonly #environment: Overview['environment']
  readonly #startedAt = Date.now() - 3 * 3_600_000
  readonly #listeners = new Set<(record: FakeRecord) => void>()

  constructor({ scenario = 'busy', environment = 'development' }: FakeWorldOptions = {}) {
    this.scenario = scenario
    this.#environment = environment
    this.log = new FakeLog(scenario === 'empty' ? 0 : 48_213)
  }

  append(record?: Pick<FakeRecord, 'type' | 'key' | 'data'>): FakeRecord {
    const added = this.log.append(record)
    for (const listener of this.#listeners) listener(added)
    return added
  }

  onAppend(listener: (record: FakeRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  overview(): Overview {
    const trouble = this.scenario === 'trouble'
    const empty = this.log.head === 0
    return {
      app: 'film-shop',
      environment: this.#environment,
      versions: { millrace: '0.1.0', node: 'v20.20.2', postgres: '18.4' },
      startedAt: new Date(this.#startedAt).toISOString(),
      status: trouble ? 'retrying' : 'ok',
      sentence: trouble
        ? 'receipts is behind by 412 events; 3 deliveries wait for a retry and 1 needs you.'
        : empty
          ? 'Everything is up. Nothing has happened yet.'
          : 'Everything is up and keeping pace.',
      head: this.log.head,
      totals: trouble
        ? { lag: 412, retrying: 3, held: 9, dead: 1, members: 2 }
        : { lag: empty ? 0 : 2, retrying: 0, held: 0, dead: 0, members: 1 },
      checks: this.#checks(),
      rates: empty ? [] : this.#rates(),
    }
  }

  topology(): Topology {
    const rates = this.rates()
    return {
      nodes: topology.nodes.map((node) => ({ ...node, ...rates.nodes[node.id] })),
      edges: topology.edges.map((edge) => ({ ...edge, rate: rates.edges[`${edge.from}>${edge.to}`] ?? 0 })),
    }
  }

  rates(): StreamTopics['rates'] {
    const quiet = this.log.head === 0
    const breath = (rate: number, salt: number): number =>
      quiet ? 0 : rate * (0.85 + 0.3 * dice(Math.floor(Date.now() / 1_000), salt))
    return {
      nodes: Object.fromEntries(
        topology.nodes.map((node, i) => [node.id, { rate: breath(node.rate, i), status: this.#statusOf(node.id) }]),
      ),
      edges: Object.fromEntries(
        topology.edges.map((edge, i) => [`${edge.from}>${edge.to}`, breath(edge.rate, i + 50)]),
      ),
    }
  }

  consumers(): ConsumerView[] {
    const { nodes } = this.rates()
    return [
      this.#follower('receipts', 'consumer', ['order.placed'], 16, nodes),
      this.#follower('low-stock', 'consumer', ['change:films'], 16, nodes),
      this.#follower('reorder', 'consumer', ['stock.low'], 4, nodes),
      this.#follower('catalog', 'index', ['change:films'], 8, nodes),
      this.#follower('film', 'cache', ['change:films'], 1, nodes),
    ]
  }

  event(position: number): EventDetail | undefined {
    const record = this.log.at(position)
    if (record === undefined) return undefined
    const effect = record.type === 'change:films' ? this.log.at(position + 4) : undefined
    return {
      ...detail(record),
      ...(record.type === 'order.placed' && { schema: orderPlacedSchema }),
      deliveries: this.#deliveries(record),
      effects: effect?.meta['cause'] === position ? [summary(effect)] : [],
    }
  }

  journey(position: number): Journey | undefined {
    const record = this.log.at(position)
    if (record === undefined) return undefined
    const hops = this.#hops(record)
    const finished = hops.filter((hop) => hop.status === 'done')
    return {
      event: summary(record),
      data: record.data,
      meta: record.meta,
      hops,
      totalMs: Math.max(0, ...finished.map((hop) => hop.sinceStartMs)),
      complete: hops.every((hop) => hop.status === 'done' || hop.status === 'dead'),
    }
  }

  #hops(record: FakeRecord): Hop[] {
    const { position, at, type, meta } = record
    const iso = (ms: number): string => new Date(at + ms).toISOString()
    const captured = 0.8 + dice(position, 10) * 2.4
    const sequenced = (type.startsWith('change:') ? captured : 0) + 0.6 + dice(position, 11) * 1.4
    const hops: Hop[] = [
      {
        kind: 'commit',
        name: type.startsWith('change:') ? 'row committed' : 'published',
        at: iso(0),
        sinceStartMs: 0,
        status: 'done',
        ...('xid' in meta && { detail: `transaction ${meta['xid']}` }),
      },
    ]
    if (type.startsWith('change:')) {
      hops.push({
        kind: 'capture',
        name: 'read from the write-ahead log',
        at: iso(captured),
        sinceStartMs: captured,
        tookMs: captured * 0.6,
        status: 'done',
        detail: `lsn ${meta['lsn']}`,
      })
    }
    hops.push({
      kind: 'sequence',
      name: 'position given',
      at: iso(sequenced),
      sinceStartMs: sequenced,
      tookMs: 0.4,
      status: 'done',
      detail: `position ${position}`,
    })
    for (const delivery of this.#deliveries(record)) {
      const doneAt = delivery.doneAt === undefined ? undefined : Date.parse(delivery.doneAt) - at
      const took = delivery.tookMs
      hops.push({
        kind: delivery.kind,
        name: delivery.follower,
        at: delivery.doneAt ?? delivery.startedAt ?? iso(0),
        sinceStartMs:
          doneAt === undefined ? sequenced : sequenced + 0.5 + (took ?? 0) + dice(position, 30 + hops.length) * 3,
        ...(took !== undefined && { tookMs: took }),
        status: delivery.status,
        ...(detailOf(delivery) !== undefined && { detail: detailOf(delivery) ?? '' }),
      })
    }
    return hops
  }

  #deliveries(record: FakeRecord): DeliveryView[] {
    return followersOf(record.type).map(({ follower, kind }, i) => {
      const tookMs = { cache: 0.12, index: 3.1, consumer: 1.8 }[kind] * (0.6 + dice(record.position, 20 + i) * 1.2)
      const startedAt = record.at + 4 + i
      const base = { follower, kind, startedAt: new Date(startedAt).toISOString(), attempt: 1, member: 'm1-7f3a' }
      if (follower === 'receipts' && this.scenario === 'trouble') {
        const error = {
          code: 'HANDLER_FAILED',
          message: 'The mail server refused the connection (ECONNREFUSED 10.0.4.7:25).',
        }
        if (record.key === '4') return { ...base, status: 'dead', attempt: 8, error }
        if (record.key === '10') return { ...base, status: 'held' }
        if (record.key === '7') {
          return {
            ...base,
            status: 'retrying',
            attempt: 3,
            retryAt: new Date(Date.now() + 12_000).toISOString(),
            error,
          }
        }
      }
      return { ...base, status: 'done', doneAt: new Date(startedAt + tookMs).toISOString(), tookMs }
    })
  }

  #follower(
    name: string,
    kind: ConsumerView['kind'],
    follows: string[],
    slots: number,
    nodes: StreamTopics['rates']['nodes'],
  ): ConsumerView {
    const troubled = this.scenario === 'trouble' && name === 'receipts'
    const { head } = this.log
    const salt = name.length
    const lag = troubled ? 412 : head === 0 ? 0 : Math.floor(dice(Math.floor(Date.now() / 1_000), salt) * 4)
    const base = { cache: 0.1, index: 3, consumer: 1.6 }[kind]
    return {
      name,
      kind,
      follows,
      status: troubled ? 'retrying' : head === 0 ? 'waiting' : 'running',
      position: head - lag,
      lag,
      lagSeconds: troubled ? 74 : lag * 0.004,
      rate: nodes[`${kind}:${name}`]?.rate ?? 0,
      retrying: troubled ? 3 : 0,
      held: troubled ? 9 : 0,
      dead: troubled ? 1 : 0,
      paused: false,
      policy: {},
      slots: Array.from({ length: slots }, (_, slot) => ({
        slot,
        position: Math.max(0, head - (troubled && slot === 3 ? 412 : Math.floor(dice(slot, salt) * (lag + 1)))),
        member: this.scenario === 'trouble' ? (slot % 2 === 0 ? 'm1-7f3a' : 'm2-19bc') : 'm1-7f3a',
      })),
      ...(head > 0 && { p50Ms: base * 1.1, p95Ms: base * (troubled ? 900 : 2.8) }),
    }
  }

  #statusOf(id: string): Status {
    if (this.log.head === 0) return id.startsWith('consumer:') ? 'waiting' : 'ok'
    return this.scenario === 'trouble' && id === 'consumer:receipts' ? 'retrying' : 'ok'
  }

  #checks(): Check[] {
    const checks: Check[] = [
      { name: 'postgres', status: 'ok', message: 'Postgres 18.4, embedded, answers in 0.3 ms.' },
      { name: 'changes', status: 'ok', message: 'Slot millrace_film_shop is 0 bytes behind.' },
      { name: 'delivery', status: 'ok', message: 'Every consumer has a member for each of its slots.' },
      { name: 'search', status: 'ok', message: 'Index catalog has 3,201 documents for 3,201 rows.' },
    ]
    if (this.scenario !== 'trouble') return checks
    return [
      {
        name: 'dead letters',
        status: 'error',
        message: '1 delivery of receipts was given up after 8 attempts: the mail server refused the connection.',
        mend: 'npx millrace doctor receipts',
      },
      {
        name: 'wal',
        status: 'warning',
        message: 'The slot keeps 1.2 GB of write-ahead log because capture was down for 9 minutes.',
        mend: 'npx millrace doctor --json',
      },
      ...checks,
    ]
  }

  #rates(): RatePoint[] {
    const now = Math.floor(Date.now() / 1_000)
    return Array.from({ length: 120 }, (_, i) => {
      const second = now - 119 + i
      const wave = 1 + 0.35 * Math.sin(second / 11) + 0.2 * (dice(second, 3) - 0.5)
      const stall = this.scenario === 'trouble' && i > 60 && i < 84 ? 0.25 : 1
      return {
        at: new Date(second * 1_000).toISOString(),
        published: 4.7 * wave + dice(second, 4),
        changes: 10.3 * wave + dice(second, 5) * 2,
        handled: (18 * wave + dice(second, 6) * 3) * stall,
        requests: 46 * wave + dice(second, 7) * 9,
      }
    })
  }
}

function detailOf({ status, attempt, error }: DeliveryView): string | undefined {
  if (status === 'done') return undefined
  return error ? `attempt ${attempt}: ${error.message}` : 'an earlier event of its key is in the way'
}
