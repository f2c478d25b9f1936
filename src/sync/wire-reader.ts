/** Reads big-endian fields front to back; beyond the end it throws RangeError. */
export class WireReader {
  readonly #buffer: Buffer
  at: number

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer
    this.at = at
  }

  byte(): number {
    const value = this.#buffer[this.at]
    if (value === undefined) throw new RangeError('message ends early')
    this.at += 1
    return value
  }

  count(): number {
    const value = this.#buffer.readUInt16BE(this.at)
    this.at += 2
    return value
  }

  /** An unsigned number of 32 bits: an object id, a transaction id, a length. */
  oid(): number {
    const value = this.#buffer.readUInt32BE(this.at)
    this.at += 4
    return value
  }

  int64(): bigint {
    const value = this.#buffer.readBigUInt64BE(this.at)
    this.at += 8
    return value
  }

  string(length: number): string {
    const start = this.#advance(length)
    return this.#buffer.toString('utf8', start, this.at)
  }

  bytes(length: number): Buffer {
    const start = this.#advance(length)
    return Buffer.from(this.#buffer.subarray(start, this.at))
  }

  /** Text up to a zero byte. */
  text(): string {
    const end = this.#buffer.indexOf(0, this.at)
    if (end < 0) throw new RangeError('text without an end')
    const text = this.#buffer.toString('utf8', this.at, end)
    this.at = end + 1
    return text
  }

  skipRest(): void {
    this.at = this.#buffer.length
  }

  #advance(length: number): number {
    const start = this.at
    if (start + length > this.#buffer.length) throw new RangeError('message ends early')
    this.at = start + length
    return start
  }
}
