import { expect, test } from 'vitest'
import { readServerSentEvents } from './server-sent-events.ts'

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

const stream =
  'retry: 1000\n\n: alive\n\nid: 4\nevent: events\ndata: {"title":"Amélie"}\n\ndata: a\ndata: b\n\nevent: cut\ndata: off'

test.each([1, 2, 7, 1000])('messages come out whole however the bytes arrive (%d at a time)', async (size) => {
  const messages: unknown[] = []
  for await (const message of readServerSentEvents(inPieces(stream, size))) messages.push(message)
  expect(messages).toEqual([
    { event: 'events', data: '{"title":"Amélie"}' },
    { event: 'message', data: 'a\nb' },
  ])
})
