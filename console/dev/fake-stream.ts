import type { ServerResponse } from 'node:http'
import type { StreamTopics } from '../../src/admin/contract.ts'
import { eventFilter, type FakeRecord, matches, summary } from './fake-log.ts'
import type { FakeWorld } from './fake-world.ts'

const frameMs = 250
const mostPerFrame = 100

/** Server-sent events as the contract says: new events in at most four frames a second, the rest every second. */
export function fakeStream(world: FakeWorld, params: URLSearchParams, response: ServerResponse): void {
  const topics = new Set((params.get('topics') ?? '').split(','))
  const filter = eventFilter(params)
  let id = 0
  const write = <T extends keyof StreamTopics>(topic: T, data: StreamTopics[T]): void => {
    id += 1
    response.write(`event: ${topic}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(':\n\n')

  let waiting: FakeRecord[] = []
  const flush = (): void => {
    if (waiting.length === 0) return
    const events = waiting.slice(-mostPerFrame).map(summary)
    write('events', { events, skipped: waiting.length - events.length, head: world.log.head })
    waiting = []
  }
  const everySecond = (): void => {
    if (topics.has('overview')) write('overview', world.overview())
    if (topics.has('rates')) write('rates', world.rates())
    if (topics.has('consumers')) write('consumers', world.consumers())
  }
  const stop = world.onAppend((record) => {
    if (topics.has('events') && matches(record, filter)) waiting.push(record)
  })
  const timers = [setInterval(flush, frameMs), setInterval(everySecond, 1_000)]
  response.on('close', () => {
    stop()
    for (const timer of timers) clearInterval(timer)
  })
}
