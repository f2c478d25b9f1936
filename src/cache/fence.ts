import { type Snapshot, sees, type Xid } from './snapshot.ts'

/** What every load must have seen, whatever its key. Never changed, only replaced: a load keeps the one it began under. */
export interface Floor {
  readonly xids: readonly Xid[]
  /** Everything up to here must have finished before the load: coarser, for when there are too many to name. */
  readonly below: Xid
}

/**
 * Remembers which transactions a load must have seen. An invalidation can arrive before its transaction is visible to
 * readers (the log is read from the write-ahead log, and a commit is written there first), so a load that starts after
 * it may still read the row as it was. The database's own transaction ids tell such a load; no clock is involved.
 *
 * Of one key only the newest invalidation counts: the one before held the row's lock until it was visible.
 *
 * A record goes as soon as any snapshot has seen its transaction, for then all later ones do. Loads under way took with
 * them at their start what they must see.
 */
export class Fence {
  readonly #limit: number
  /** With fewer records than this it does not look for superfluous ones. */
  readonly #sweepFrom: number
  readonly #recent = new Map<string, Xid>()
  #floor: Floor = { xids: [], below: 0 }
  #sweepAt: number

  /** @param limit invalidations remembered by key; beyond twice as many, only their transactions are */
  constructor(limit = 10_000) {
    this.#limit = limit
    this.#sweepFrom = Math.min(1000, limit)
    this.#sweepAt = this.#sweepFrom
  }

  /** A transaction changed the row of this key. */
  changed(key: string, xid: Xid): void {
    this.#recent.set(key, xid)
    if (this.#recent.size > 2 * this.#limit) this.forgetKeys()
  }

  /** A transaction changed all rows. */
  changedAll(xid: Xid): void {
    this.#raiseFloor([xid])
  }

  /** What a load of this key that starts now must see, beside the floor. */
  required(key: string): Xid | undefined {
    return this.#recent.get(key)
  }

  get floor(): Floor {
    return this.#floor
  }

  /** True when it remembers so much that a fresh snapshot should be shown to `seen`. */
  get crowded(): boolean {
    return this.#recent.size + this.#floor.xids.length > this.#limit || this.#floor.below > 0
  }

  /** Whether a load may be believed. */
  admits(snapshot: Snapshot, required: Xid | undefined, floor: Floor): boolean {
    if (required !== undefined && !sees(snapshot, required)) return false
    if (floor.below >= snapshot.xmin) return false
    return floor.xids.every((xid) => sees(snapshot, xid))
  }

  /** Forgets what this snapshot saw: loads that start from now on see it too. */
  seen(snapshot: Snapshot): void {
    if (this.#recent.size + this.#floor.xids.length < this.#sweepAt && this.#floor.below === 0) return
    for (const [key, xid] of this.#recent) if (sees(snapshot, xid)) this.#recent.delete(key)
    const { xids, below } = this.#floor
    this.#floor = {
      xids: xids.filter((xid) => !sees(snapshot, xid)),
      below: below < snapshot.xmin ? 0 : below,
    }
    // Twice what stays, so that sweeping costs a constant per record.
    const left = this.#recent.size + this.#floor.xids.length
    this.#sweepAt = Math.max(this.#sweepFrom, Math.min(this.#limit, 2 * left))
  }

  /** Asks of every load what was asked by key: after this, older changes may come again without undoing newer ones. */
  forgetKeys(): void {
    this.#raiseFloor(this.#recent.values())
    this.#recent.clear()
  }

  #raiseFloor(more: Iterable<Xid>): void {
    const xids = [...new Set([...this.#floor.xids, ...more])]
    if (xids.length <= this.#limit) this.#floor = { xids, below: this.#floor.below }
    else this.#floor = { xids: [], below: xids.reduce((a, b) => Math.max(a, b), this.#floor.below) }
  }
}
