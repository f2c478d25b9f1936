import { setTimeout as sleep } from 'node:timers/promises'
import type { FailedDelivery } from '../../src/admin/contract.ts'
import { PlatformError } from '../../src/kernel/errors.ts'
import type { RunningApp } from '../../src/platform/running-app.ts'
import { consumersOfChaos, type Data } from './chaos-app.ts'
import type { History } from './chaos-history.ts'
import type { Random } from './chaos-random.ts'

export interface OperatorDeps {
  readonly running: RunningApp
  readonly history: History
  readonly random: Random
  readonly name: string
}

type Address = { consumer: string; position: number; replay?: string }

/** Does at random what people do about failed deliveries and consumers, and writes down what came of it. */
export class Operator {
  readonly #deps: OperatorDeps
  #count = 0

  constructor(deps: OperatorDeps) {
    this.#deps = deps
  }

  /** One action, where there is something to act on. It never throws. */
  async step(): Promise<void> {
    const { running, random } = this.#deps
    const state = random.weighted({ dead: 5, retrying: 1, held: 1 })
    const page = await running.operate('deadLetters', { state, limit: 100 }).catch(() => undefined)
    const some = page?.deliveries ?? []
    const often = some.length === 0 ? 0 : 1
    const onSome = { redrive: 8 * often, mend: 6 * often, edit: 8 * often, undo: often, discard: 5 * often }
    const what = random.weighted({ ...onSome, retry: 2, pause: 4, replay: 2 })
    if (what === 'pause') return this.#pause()
    if (what === 'replay') return this.#replay()
    if (what === 'retry') return this.#retry()
    const one = random.one(some) as FailedDelivery
    const alike = random.onceIn(3)
      ? some.filter(({ consumer, replay }) => consumer === one.consumer && replay === one.replay)
      : [one]
    await this[what](
      one,
      alike.map(({ position }) => position),
    )
  }

  /** Resumes what stands still, and mends what stopped it. */
  async resume(): Promise<void> {
    const { running } = this.#deps
    const consumers = await running.operate('consumers', {}).catch(() => [])
    for (const { name, paused, stoppedBy } of consumers) {
      if (!paused) continue
      if (stoppedBy !== undefined) await this.#mendAt(stoppedBy.position).catch(() => undefined)
      await this.#done(
        'resume',
        (reason) => running.operate('resumeConsumer', { consumer: name, reason }),
        () => 1,
      )
    }
    const replays = await running.operate('replays', {}).catch(() => [])
    for (const { id, state } of replays) {
      if (state !== 'paused' && state !== 'stopped') continue
      const trouble = await running.operate('deadLetters', { replay: id, limit: 100 }).catch(() => undefined)
      for (const { position } of trouble?.deliveries ?? []) await this.#mendAt(position).catch(() => undefined)
      await running.operate('resumeReplay', { id }).catch(() => undefined)
    }
  }

  async redrive(one: FailedDelivery, positions: readonly number[]): Promise<void> {
    const { running, random } = this.#deps
    const { consumer, signature } = one
    const replay = one.replay === null ? {} : { replay: one.replay }
    const selection =
      signature !== undefined && random.onceIn(3)
        ? { signature, ...replay }
        : { consumer, positions: [...positions], ...replay }
    await this.#done(
      'redrive',
      (reason) => running.operate('redrive', { ...selection, reason }),
      ({ redriven }) => redriven,
    )
  }

  /** Takes the cause away first, so that it comes through. */
  async mend(one: FailedDelivery, positions: readonly number[]): Promise<void> {
    for (const position of positions) await this.#mendAt(position).catch(() => undefined)
    await this.redrive(one, positions)
  }

  async edit(one: FailedDelivery): Promise<void> {
    const { running, random } = this.#deps
    const address = addressOf(one)
    const detail = await running.operate('deadLetter', address).catch(() => undefined)
    if (detail === undefined) return
    const old = detail.data as Data
    const fates = random.onceIn(4) ? (old.fates ?? []) : []
    const data = (note: string): Data => ({ ...old, note, fates })
    await this.#done(
      'edit',
      (reason) =>
        running.operate('edit', {
          ...address,
          data: data(`as edited by ${reason}`),
          redrive: random.onceIn(2),
          reason,
        }),
      () => 1,
    )
  }

  async undo(one: FailedDelivery): Promise<void> {
    const { running } = this.#deps
    await this.#done(
      'undo-edit',
      (reason) => running.operate('undoEdit', { ...addressOf(one), reason }),
      () => null,
    )
  }

  async discard(one: FailedDelivery, positions: readonly number[]): Promise<void> {
    const { running } = this.#deps
    const { consumer, replay } = one
    const selection = { consumer, positions: [...positions], ...(replay === null ? {} : { replay }) }
    await this.#done(
      'discard',
      (reason) => running.operate('discard', { ...selection, reason }),
      ({ discarded }) => discarded,
    )
  }

  async #retry(): Promise<void> {
    const { running } = this.#deps
    await this.#done(
      'retry-now',
      (reason) => running.operate('retryNow', { all: true, reason }),
      ({ due }) => due,
    )
  }

  async #pause(): Promise<void> {
    const { running, random } = this.#deps
    const consumer = random.one(consumersOfChaos).name
    await this.#done(
      'pause',
      (reason) => running.operate('pauseConsumer', { consumer, reason }),
      () => 1,
    )
    await sleep(random.int(50, 800))
    await this.resume()
  }

  /** Of a stretch near the head, to a consumer; now and then it is cancelled. */
  async #replay(): Promise<void> {
    const { running, random } = this.#deps
    const { head } = await running.operate('overview', {}).catch(() => ({ head: 0 }))
    if (head < 100) return
    const consumer = random.one(consumersOfChaos).name
    const fromPosition = random.int(Math.max(1, head - 400), head - 50)
    const untilPosition = fromPosition + random.int(10, 50)
    const onFailure = random.onceIn(3) ? ('stop' as const) : ('dead-letter' as const)
    const order = { consumer, fromPosition, untilPosition, onFailure }
    const started = await this.#done(
      'replay',
      (reason) => running.operate('replay', { ...order, request: reason, reason }),
      () => 1,
    )
    if (started === undefined || !random.onceIn(4)) return
    await sleep(random.int(0, 500))
    await running.operate('cancelReplay', { id: started.id }).catch(() => undefined)
  }

  async #mendAt(position: number): Promise<void> {
    const { running } = this.#deps
    const { data } = await running.operate('event', { position })
    await running.sql`insert into mended (op) values (${(data as Data).op})`
  }

  /** @param count what of the answer the audit must agree with; `null` is nothing */
  async #done<T>(
    what: string,
    act: (reason: string) => Promise<T>,
    count: (answer: T) => number | null,
  ): Promise<T | undefined> {
    const { history, name } = this.#deps
    this.#count += 1
    const id = `${name}.${this.#count}`
    history.ask(id, what, [])
    try {
      const answer = await act(id)
      history.told(id, 'ok', {}, count(answer))
      return answer
    } catch (error) {
      const refused = error instanceof PlatformError && ['NOT_FOUND', 'CONFLICT'].includes(error.code)
      if (!refused && error instanceof PlatformError && !error.retryable)
        process.stderr.write(`unexpected: ${what} ${id}: ${error.code} ${error.message}\n`)
      // An edit may have been made although its delivery was not found any more when it was shown.
      history.told(id, refused && what !== 'edit' ? 'fail' : 'unknown')
      return undefined
    }
  }
}

function addressOf({ consumer, position, replay }: FailedDelivery): Address {
  return { consumer, position, ...(replay === null ? {} : { replay }) }
}
