/** Calls `send` at a steady rate for some seconds, whatever the answers do (open loop), then waits for the answers. */
export async function atRate(perSecond: number, seconds: number, send: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  const total = Math.floor(perSecond * seconds)
  const answers: Promise<unknown>[] = []
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond))
    for (; sent < due; sent += 1) answers.push(send())
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(answers)
}

/**
 * Keeps `send` busy for some seconds without running more than `ahead` messages in front of the consumer, and returns
 * how many messages per second came through from the first send to the last one handled.
 */
export async function saturate(options: {
  seconds: number
  ahead: number
  batch: number
  send: (count: number) => Promise<unknown>
  handled: () => number
}): Promise<number> {
  const { seconds, ahead, batch, send, handled } = options
  const startedAt = performance.now()
  const first = handled()
  let sent = 0
  while (performance.now() - startedAt < seconds * 1000) {
    if (sent - (handled() - first) > ahead) await new Promise((resolve) => setTimeout(resolve, 1))
    else {
      await send(batch)
      sent += batch
    }
  }
  const deadline = performance.now() + 60_000
  while (handled() - first < sent) {
    if (performance.now() > deadline) throw new Error(`only ${handled() - first} of ${sent} messages came through`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return sent / ((performance.now() - startedAt) / 1000)
}
