/**
 * A full 64-bit transaction id (`xid8`). Kept as a number: exact up to 2^53, which a server making a million
 * transactions a second reaches after 285 years.
 */
export type Xid = number

/** Which transactions a read saw: `pg_current_snapshot()` (PostgreSQL manual, 9.27.8). */
export interface Snapshot {
  /** Everything below was finished. */
  readonly xmin: Xid
  /** Everything from here on had not finished. */
  readonly xmax: Xid
  /** Between the two: still running. */
  readonly xip: readonly Xid[]
}

/** Reads the text form, `xmin:xmax:xip,xip`. */
export function parseSnapshot(text: string): Snapshot {
  const [xmin = '', xmax = '', xip = ''] = text.split(':')
  return { xmin: Number(xmin), xmax: Number(xmax), xip: xip === '' ? [] : xip.split(',').map(Number) }
}

/** Whether a read with this snapshot saw the effects of a transaction that committed. */
export function sees(snapshot: Snapshot, xid: Xid): boolean {
  if (xid < snapshot.xmin) return true
  return xid < snapshot.xmax && !snapshot.xip.includes(xid)
}
