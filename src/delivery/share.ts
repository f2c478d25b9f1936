import type { LogRecord } from '../events/record.ts'
import { systemClock } from '../kernel/clock.ts'
import type { Member } from '../store/member.ts'
import type { Store } from '../store/store.ts'
import { settle } from './settle.ts'
import { claimSlots, heldSlots, releaseSlots, type Slot, slotOf } from './slots.ts'

/** How often a process looks for slots to take or to hand on; sooner when another one is about to count as dead. */
const balanceMs = 500
/** How often a place that moved over foreign events only is stored. */
const flushMs = 1000

/** What one process has of a consumer: its slots, how far they are, and whether they may move. */
export class Share {
  readonly #store: Store
  readonly #member: Member
  readonly #consumer: string
  #count = 0
  #slots: Slot[] = []
  #paused = false
  #revision = 0
  #balanceAt = 0
  #flushedAt = 0
  #unflushed = false

  constructor(store: Store, member: Member, consumer: string) {
    this.#store = store
    this.#member = member
    this.#consumer = consumer
  }

  /** @param count slots of the consumer in all */
  open(count: number): void {
    this.#count = count
  }

  get slots(): readonly Slot[] {
    return this.#slots
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Everything up to here is passed on all slots; `undefined` without slots. */
  get position(): number | undefined {
    return this.#slots.length === 0 ? undefined : Math.min(...this.#slots.map(({ position }) => position))
  }

  /** The part of the consumer that is here, from 0 to 1. */
  get portion(): number {
    return this.#slots.length / this.#count
  }

  /** Milliseconds until `balance` has something to do. */
  get restMs(): number {
    return Math.max(0, this.#balanceAt - systemClock.now())
  }

  /** Some slot stands where its holders died again and again. */
  get suspect(): boolean {
    return this.#slots.some(({ crashes, position, suspectUntil }) => crashes > 1 && position < suspectUntil)
  }

  slotOf = (record: LogRecord): number => slotOf(record, this.#count)

  /** The slot that a record belongs to, as it is held here: one, or none. */
  slotsOf(record: LogRecord): Slot[] {
    const slot = this.slotOf(record)
    return this.#slots.filter((mine) => mine.slot === slot)
  }

  /** Whether a record is still to be passed here. */
  awaits(record: LogRecord): boolean {
    const slot = this.slotOf(record)
    return this.#slots.some((mine) => mine.slot === slot && mine.position < record.position)
  }

  /** Makes the next `balance` look at once. */
  review(): void {
    this.#balanceAt = 0
  }

  /** It paused itself. */
  pause(): void {
    this.#paused = true
  }

  /**
   * Takes part in sharing out the slots: claims what is free, hands on what is more than a fair share. Says whether what
   * waits for a retry has to be read again; `read` then does that, and only then is the change known.
   */
  async balance(read: () => Promise<void>): Promise<void> {
    if (this.restMs > 0) return
    this.#balanceAt = systemClock.now() + balanceMs
    await claimSlots(this.#store, this.#member, this.#consumer, this.#count)
    const held = await heldSlots(this.#store, this.#member, this.#consumer)
    if (held.expiresInMs !== null)
      this.#balanceAt = Math.min(this.#balanceAt, systemClock.now() + Math.max(1, Math.ceil(held.expiresInMs)))
    const news = held.revision !== this.#revision || !this.#holdsJust(held.slots)
    this.#takeUp(held.slots)
    this.#paused = held.paused
    const fair = Math.ceil(this.#count / held.members)
    if (held.slots.length > fair) await releaseSlots(this.#store, this.#consumer, this.#slots.splice(fair))
    else if (!news) return
    await read()
    this.#revision = held.revision
  }

  /** Starts again from what is stored. */
  drop(): void {
    this.#slots = []
    this.#balanceAt = 0
  }

  async release(): Promise<void> {
    await releaseSlots(this.#store, this.#consumer, this.#slots)
  }

  moveTo(position: number): void {
    for (const slot of this.#slots) slot.position = Math.max(slot.position, position)
  }

  /** Moves over what is nobody's business here; that is stored later. */
  passOver(position: number): void {
    this.moveTo(position)
    this.#unflushed = true
  }

  async flush(): Promise<void> {
    const { position } = this
    if (!this.#unflushed || position === undefined || systemClock.now() - this.#flushedAt < flushMs) return
    await settle(this.#store, this.#consumer, this.#slots, position)
    this.#unflushed = false
    this.#flushedAt = systemClock.now()
  }

  #holdsJust(stored: readonly Slot[]): boolean {
    return (
      stored.length === this.#slots.length &&
      stored.every(({ slot, epoch }) => this.#slots.some((mine) => mine.slot === slot && mine.epoch === epoch))
    )
  }

  /** The places known here are newer than those stored. */
  #takeUp(stored: readonly Slot[]): void {
    const known = new Map(this.#slots.map(({ slot, epoch, position }) => [`${slot}/${epoch}`, position]))
    this.#slots = stored.map((slot) => ({
      ...slot,
      position: Math.max(slot.position, known.get(`${slot.slot}/${slot.epoch}`) ?? 0),
    }))
  }
}
