import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Signal, testGateway } from '../../../test/support/gateway.ts'
import { compileSchema, t } from '../../kernel/schema.ts'
import type { EventStreamOptions, StreamFrame } from './event-stream.ts'
import type { LiveSource } from './live.ts'

const token = 'a-token-that-is-long-enough'
const headers = { authorization: `Bearer ${token}` }
const caller = new AbortController()

type Subscription = Parameters<LiveSource['subscribe']>[0]

/** A source whose frames the test pushes. */
class Source implements LiveSource {
  readonly topics = ['events', 'overview']
  readonly filter = compileSchema({ type: t.optional(t.string()) })
  readonly subscriptions: Subscription[] = []
  readonly ended = new Signal()
  push: (frame: StreamFrame) => boolean = () => false

  subscribe(request: Subscription, push: (frame: StreamFrame) => boolean): () => void {
    this.subscriptions.push(request)
    this.push = push
    return () => this.ended.give()
  }
}

let gateway: Awaited<ReturnType<typeof testGateway>> | undefined
afterEach(async () => {
  await gateway?.close()
})

async function open(source: Source, stream: Partial<EventStreamOptions> = {}): Promise<string> {
  gateway = await testGateway({ console: { folder: '/nowhere', operations: [], live: source, token, stream } })
  return `${gateway.url}/_/api/stream`
}

/** Reads until the text holds `end`. */
async function readUntil(answer: Response, end: string): Promise<string> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (reader !== undefined && !text.includes(end)) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
  }
  reader?.releaseLock()
  return text
}

describe('the live stream', () => {
  test('delivers frames with topic, data and id', async () => {
    const source = new Source()
    const answer = await fetch(`${await open(source)}?topics=events,overview&type=order.*`, { headers })
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(source.subscriptions).toEqual([
      { topics: ['events', 'overview'], filter: { type: 'order.*' }, lastEventId: undefined },
    ])
    expect(source.push({ topic: 'events', data: { text: 'a\nb' }, id: 7 })).toBe(true)
    expect(source.push({ topic: 'overview', data: [] })).toBe(true)
    expect(await readUntil(answer, 'data: []\n\n')).toBe(
      'retry: 1000\n\nid: 7\nevent: events\ndata: {"text":"a\\nb"}\n\nevent: overview\ndata: []\n\n',
    )
  })

  test('tells where a returning client stood', async () => {
    const source = new Source()
    await fetch(`${await open(source)}?topics=events`, { headers: { ...headers, 'last-event-id': '41' } })
    expect(source.subscriptions[0]?.lastEventId).toBe('41')
  })

  test('ends its subscription when the client goes', async () => {
    const source = new Source()
    await fetch(`${await open(source)}?topics=events`, { headers, signal: caller.signal })
    caller.abort()
    await source.ended.given
    expect(source.push({ topic: 'events', data: 1 })).toBe(false)
  })

  test('shows that it lives when nothing happens', async () => {
    const answer = await fetch(`${await open(new Source(), { heartbeatMs: 20 })}?topics=events`, { headers })
    expect(await readUntil(answer, ': alive\n\n')).toContain(': alive\n\n')
  })

  test('ends at once when the gateway closes', async () => {
    const source = new Source()
    const answer = await fetch(`${await open(source)}?topics=events`, { headers })
    const begun = performance.now()
    await gateway?.close()
    expect(performance.now() - begun).toBeLessThan(1500)
    expect(await answer.text()).toBe('retry: 1000\n\n')
    await source.ended.given
  })

  test.each([
    ['', '/topics'],
    ['?topics=', '/topics'],
    ['?topics=events,films', '/topics'],
    ['?topics=events&colour=red', '/colour'],
  ])('refuses %s', async (query, path) => {
    const answer = await fetch((await open(new Source())) + query, { headers })
    expect(await answer.json()).toMatchObject({ status: 400, code: 'INPUT_INVALID', issues: [{ path }] })
  })
})

describe('a slow client', () => {
  const big = { topic: 'events', data: 'x'.repeat(64 * 1024) }

  /** A client that asks for the stream and reads only when told to. */
  async function slowClient(source: Source, address: string): Promise<ReturnType<typeof connect>> {
    const { port, pathname } = new URL(address)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      `GET ${pathname}?topics=events HTTP/1.1\r\nhost: localhost\r\nauthorization: ${headers.authorization}\r\n\r\n`,
    )
    await new Promise((resolve) => socket.once('readable', resolve))
    expect(source.subscriptions).toHaveLength(1)
    return socket
  }

  /** Reads on until a `skipped` frame holds the text; returns that frame's data. */
  async function skippedFrame(socket: ReturnType<typeof connect>, holding: string): Promise<string> {
    let end = ''
    for await (const chunk of socket.setEncoding('utf8')) {
      end = end.slice(-200) + chunk
      const frames = [...end.matchAll(/event: skipped\ndata: (.*)\n\n/g)].map(([, data = '']) => data)
      const frame = frames.find((data) => data.includes(holding))
      if (frame !== undefined) return frame
    }
    return ''
  }

  function fill(source: Source): number {
    let accepted = 0
    while (source.push(big)) accepted += 1
    return accepted
  }

  test('holds up nobody: what it cannot take is dropped, and counted to it when it reads again', async () => {
    const source = new Source()
    const socket = await slowClient(source, await open(source))
    // Each turn of the loop lets the kernel take more, until its buffers are full as well.
    for (let idle = 0; idle < 20; ) {
      idle = fill(source) === 0 ? idle + 1 : 0
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(source.push({ topic: 'overview', data: 1 })).toBe(false)
    expect(await skippedFrame(socket, '"overview":')).toMatch(/^\{"events":\d+,"overview":1\}$/)
  })

  test('that takes nothing for too long is cut off', async () => {
    const source = new Source()
    const socket = await slowClient(source, await open(source, { maxBufferedBytes: 1024, stalledMs: 0 }))
    socket.on('error', () => undefined)
    const pushing = setInterval(() => fill(source), 1)
    await source.ended.given
    clearInterval(pushing)
    socket.destroy()
  })

  test('does not delay the close', async () => {
    const source = new Source()
    const socket = await slowClient(source, await open(source))
    fill(source)
    const begun = performance.now()
    await gateway?.close()
    expect(performance.now() - begun).toBeLessThan(1500)
    socket.destroy()
  })
})
