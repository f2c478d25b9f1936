/** Postgres counts microseconds from the start of 2000. */
const postgresEpochMs = Date.UTC(2000, 0, 1)

export function microsecondsSince2000(): bigint {
  return BigInt(Date.now() - postgresEpochMs) * 1000n
}

/** Such microseconds as ISO 8601 with all six digits. */
export function isoMoment(microseconds: bigint): string {
  const date = new Date(postgresEpochMs + Number(microseconds / 1000n))
  return `${date.toISOString().slice(0, -1)}${String(microseconds % 1000n).padStart(3, '0')}Z`
}
