import type { Statement } from '../store/sql.ts'
import { type LogSource, readBounds } from './read.ts'

// Two plain index look-ups for each step: there is no index by time, and none is needed, for time grows with the position.
const tickStatement: Statement = {
  name: 'millrace-tick-at-or-below',
  text: `select base, count, at < $2 as before from millrace.ticks where base <= $1 order by base desc limit 1`,
}
const keptStatement: Statement = {
  name: 'millrace-kept-before',
  text: 'select coalesce(max(position), 0) as position from millrace.kept where at < $1',
}

/**
 * The last position that the log had given out before `time`: 0 when none. Events with higher positions came into the log
 * at or after it. Takes some twenty look-ups, however long the log is.
 */
export async function positionBefore(store: LogSource, time: Date): Promise<number> {
  const { tail, head } = await readBounds(store)
  let [low, high] = [tail, head] // all up to `low` came before, what is above `high` did not
  let known = false
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [tick] = await store.run<{ base: number; count: number; before: boolean }>(tickStatement, [middle, time])
    if (tick === undefined || tick.base + tick.count <= low) {
      low = middle + 1 // below the first tick that is kept
    } else if (tick.before) {
      known = true
      low = tick.base + tick.count
    } else high = Math.max(low, tick.base)
  }
  if (known || tail === 0) return low
  const [kept] = await store.run<{ position: number }>(keptStatement, [time])
  return Math.min(kept?.position ?? 0, tail)
}
