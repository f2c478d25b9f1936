import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ChaosAnswer, ChaosMessage, ChaosOrder } from './chaos-process.ts'

/** What happened to processes in a run. */
export interface FleetCounts {
  kills: number
  joins: number
  leaves: number
  stalls: number
  /** Processes that their handlers killed. */
  suicides: number
}

interface Running {
  readonly name: string
  readonly child: ChildProcess
  readonly ready: Promise<void>
  readonly quiet: Promise<void>
  /** Its end was asked for. */
  asked: boolean
}

const most = 4

/** The processes of a run: each that ends without being asked to is replaced. */
export class Fleet {
  readonly counts: FleetCounts = { kills: 0, joins: 0, leaves: 0, stalls: 0, suicides: 0 }
  /** What must not be: a process that ended by itself, or said that something unexpected happened. */
  readonly complaints: string[] = []
  readonly #order: Omit<ChaosOrder, 'name'>
  readonly #running = new Set<Running>()
  #started = 0
  #ending = false
  #quiet = false

  constructor(order: Omit<ChaosOrder, 'name'>) {
    this.#order = order
  }

  get size(): number {
    return this.#running.size
  }

  get names(): string[] {
    return [...this.#running].map(({ name }) => name)
  }

  /** Resolves when it works. */
  async join(): Promise<void> {
    if (this.#running.size >= most) return
    this.counts.joins += 1
    await this.#start().ready
  }

  /** Ends as `kill -9` does; another one takes its place. */
  kill(name: string): void {
    const one = this.#named(name)
    if (one === undefined) return
    this.counts.kills += 1
    one.asked = true
    one.child.kill('SIGKILL')
  }

  /** Ends in order; another one takes its place. */
  leave(name: string): void {
    const one = this.#named(name)
    if (one === undefined) return
    this.counts.leaves += 1
    one.asked = true
    one.child.kill('SIGTERM')
  }

  /** Stands still for so long and then goes on, as if nothing had happened. */
  async stall(name: string, ms: number): Promise<void> {
    const one = this.#named(name)
    if (one === undefined) return
    this.counts.stalls += 1
    one.child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, ms))
    one.child.kill('SIGCONT')
  }

  /** Has it publish an event that kills its handlers. */
  poison(name: string, times: number): void {
    send(this.#named(name), { poison: times })
  }

  /** Nobody writes any more; what is there is handled. Resolves when the last answer is in. */
  async quiet(): Promise<void> {
    this.#quiet = true
    for (;;) {
      const all = [...this.#running]
      for (const one of all) send(one, 'quiet')
      await Promise.all(all.map(({ quiet }) => quiet))
      if (all.length === this.#running.size && all.every((one) => this.#running.has(one))) return
    }
  }

  async end(): Promise<void> {
    this.#ending = true
    const all = [...this.#running]
    for (const { child } of all) child.kill('SIGCONT')
    for (const one of all) {
      one.asked = true
      one.child.kill('SIGTERM')
    }
    const ended = Promise.all(all.map(({ child }) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
    const timer = setTimeout(() => {
      for (const { name, child } of all)
        if (child.exitCode === null && child.signalCode === null) {
          this.complaints.push(`${name} did not end within 10 s of being asked to`)
          child.kill('SIGKILL')
        }
    }, 10_000)
    await ended
    clearTimeout(timer)
  }

  #start(): Running {
    this.#started += 1
    const name = `p${this.#started}`
    const order: ChaosOrder = { ...this.#order, name, seed: this.#order.seed * 1000 + this.#started * 10 }
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), join(import.meta.dirname, 'chaos-process.ts'), JSON.stringify(order)],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    )
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString('utf8')}`.slice(-4000)
      for (const [line] of chunk.toString('utf8').matchAll(/^unexpected: .*$/gm))
        this.complaints.push(`${name}: ${line}`)
    })
    child.on('error', () => undefined) // a message to one that was just killed
    const answer = (awaited: ChaosAnswer): Promise<void> =>
      new Promise((resolve) => {
        child.on('message', (told: ChaosAnswer) => told === awaited && resolve())
        child.once('exit', () => resolve())
      })
    const one: Running = { name, child, ready: answer('ready'), quiet: answer('quiet'), asked: false }
    this.#running.add(one)
    void one.ready.then(() => this.#quiet && send(one, 'quiet'))
    child.once('exit', (code, signal) => {
      this.#running.delete(one)
      if (!one.asked && signal === 'SIGKILL') this.counts.suicides += 1
      else if (!one.asked || (signal === null && code !== 0))
        this.complaints.push(`${name} ended with ${signal ?? code}: ${said}`)
      if (!this.#ending) this.#start()
    })
    return one
  }

  #named(name: string): Running | undefined {
    return [...this.#running].find((one) => one.name === name)
  }
}

function send(one: Running | undefined, message: ChaosMessage): void {
  if (one?.child.connected === true) one.child.send(message, () => undefined)
}
