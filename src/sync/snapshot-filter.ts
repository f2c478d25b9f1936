/** What a Postgres snapshot sees (PostgreSQL manual, 9.27.14: `pg_snapshot`, text form `xmin:xmax:xip,…`). */
export interface SnapshotFilter {
  /** The transaction had ended when the snapshot was taken: what it changed is in the copy already. */
  sees(xid: number): boolean
}

export function parseSnapshot(text: string): SnapshotFilter {
  const [xmin, xmax, running] = text.split(':')
  const first = Number(xmin)
  const end = Number(xmax)
  const open = new Set(running === undefined || running === '' ? [] : running.split(',').map(Number))
  return { sees: (xid) => xid < first || (xid < end && !open.has(xid)) }
}
