import { randomFillSync } from 'node:crypto'

/** Random bytes of one id: one that may seed the counter, eight for its end. */
const idBytes = 9
const pool = Buffer.alloc(idBytes * 512)
let used = pool.length
let lastMs = 0
let counter = 0
/** The time part of the ids of `lastMs`, up to and with the version. */
let head = ''

/** A UUID version 7 (RFC 9562, 5.7), monotonic within this process: later calls sort after earlier ones. */
export function uuidv7(nowMs: number = Date.now()): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  if (nowMs > lastMs) moveTo(nowMs, (pool[used] as number) << 2)
  else if (counter < 0xfff) counter += 1
  // More than 4096 ids in one millisecond: borrow the next one, as the RFC allows.
  else moveTo(lastMs + 1, 0)
  pool[used + 1] = 0x80 | ((pool[used + 1] as number) & 0x3f)
  const tail = pool.toString('hex', used + 1, used + idBytes)
  used += idBytes
  return `${head}${(counter + 0x1000).toString(16).slice(1)}-${tail.slice(0, 4)}-${tail.slice(4)}`
}

function moveTo(ms: number, startCounter: number): void {
  lastMs = ms
  counter = startCounter
  const time = ms.toString(16).padStart(12, '0')
  head = `${time.slice(0, 8)}-${time.slice(8)}-7`
}
