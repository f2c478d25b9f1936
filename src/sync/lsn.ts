/** A position in the write-ahead log. Compared as numbers; written `X/Y` in SQL and on the wire of SQL. */
export type Lsn = bigint

export function parseLsn(text: string): Lsn {
  const [high, low] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}

/**
 * Widens the 32-bit transaction id of the replication protocol to the 64-bit one of `xid8`, given any full id of about
 * the same time: of the ids that fit it is the nearest (Postgres keeps all ids in use within 2^31 of each other).
 */
export function widenXid(xid: number, near: number): number {
  const distance = (xid - (near % 0x1_0000_0000)) | 0
  return near + distance
}
