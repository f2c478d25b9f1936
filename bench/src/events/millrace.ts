import { app, event, on, startApp, t } from 'millrace'
import type { Contender, Handle } from './contender.ts'

/** Plain use: one `publish` per event, one handler call per event, keys kept in order. */
export async function millrace(url: string, handle: Handle): Promise<Contender> {
  const placed = event(
    'order.placed',
    { order: t.string(), customer: t.int(), amount: t.int(), currency: t.string(), at: t.number() },
    { key: 'order' },
  )
  const consumer = on('bench', placed, { start: 'beginning' }, ({ data }) => handle(data))
  const running = await startApp(app('bench', { placed, consumer }), { location: { kind: 'url', url } })
  return {
    name: 'millrace',
    send: (payloads) => Promise.all(payloads.map((data) => running.publish(placed, data))),
    close: () => running.stop(),
  }
}
