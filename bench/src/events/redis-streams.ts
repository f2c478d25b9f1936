import { createClient } from 'redis'
import type { Contender, Handle, Payload } from './contender.ts'

const stream = 'bench'
const group = 'bench'
const takeAtOnce = 500
/** What was acknowledged is of no use any more; trimming roughly costs least. */
const keep = 100_000

/** A stream with a consumer group and the bare client: pipelined adds, reads and acknowledgements in batches. */
export async function redisStreams(port: number, handle: Handle): Promise<Contender> {
  const url = `redis://127.0.0.1:${port}`
  const [producer, consumer] = [createClient({ url }), createClient({ url })]
  await Promise.all([producer.connect(), consumer.connect()])
  await producer.xGroupCreate(stream, group, '0', { MKSTREAM: true })
  let closing = false
  const consuming = (async () => {
    while (!closing) {
      const from = [{ key: stream, id: '>' }]
      const read = (await consumer.xReadGroup(group, 'one', from, { COUNT: takeAtOnce, BLOCK: 100 })) as Read | null
      const messages = read?.[0]?.messages ?? []
      for (const { message } of messages) handle(JSON.parse(message['data'] ?? '') as Payload)
      if (messages.length > 0)
        await consumer.xAck(
          stream,
          group,
          messages.map(({ id }) => id),
        )
    }
  })()
  const trim = { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: keep } } as const
  return {
    name: 'redis-streams',
    // Sent in one turn, so the client writes them as one pipeline.
    send: (payloads) =>
      Promise.all(payloads.map((data) => producer.xAdd(stream, '*', { data: JSON.stringify(data) }, trim))),
    async close() {
      closing = true
      await consuming
      producer.destroy()
      consumer.destroy()
    },
  }
}

type Read = { messages: { id: string; message: Record<string, string> }[] }[]
