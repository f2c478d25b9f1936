/** One system that takes messages and hands each to a handler. */
export interface Contender {
  readonly name: string
  /** Sends messages in the way the system does best; resolves when they are durable. */
  send(payloads: readonly Payload[]): Promise<unknown>
  close(): Promise<void>
}

/** About 100 bytes of JSON. */
export interface Payload {
  order: string
  customer: number
  amount: number
  currency: string
  /** When it was sent, `performance.now()`. */
  at: number
}

export type Handle = (payload: Payload) => void

let counter = 0
export function payload(): Payload {
  counter += 1
  return {
    order: `order-${counter}`,
    customer: counter % 1000,
    amount: (counter * 37) % 10_000,
    currency: 'EUR',
    at: performance.now(),
  }
}
