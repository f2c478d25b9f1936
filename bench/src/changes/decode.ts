import { decodePgoutput } from '../../../src/sync/pgoutput.ts'

/** Messages of the replication protocol per second that one core decodes: updates of a row of four columns, ten in a transaction. */
export function decodeRate(seconds: number): number {
  const updates = 10
  const messages = [begin(), ...Array.from({ length: updates }, update), commit()]
  let decoded = 0
  const startedAt = performance.now()
  while (performance.now() - startedAt < seconds * 1000) {
    for (let i = 0; i < 100; i += 1) for (const message of messages) decodePgoutput(message)
    decoded += 100 * updates
  }
  return decoded / ((performance.now() - startedAt) / 1000)
}

const int64 = (value: bigint): Buffer => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(value)
  return buffer
}
const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from('t'), int32(Buffer.byteLength(value)), Buffer.from(value)])

const begin = (): Buffer => Buffer.concat([Buffer.from('B'), int64(4711n), int64(0n), int32(815)])
const commit = (): Buffer => Buffer.concat([Buffer.from('C'), Buffer.of(0), int64(4711n), int64(4712n), int64(0n)])
const update = (): Buffer =>
  Buffer.concat([
    Buffer.from('U'),
    int32(16_384),
    Buffer.from('N'),
    Buffer.of(0, 4),
    text('123456'),
    text('item number 123456'),
    text('999'),
    Buffer.from('n'),
  ])
