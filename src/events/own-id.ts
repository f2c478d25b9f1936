import { createHash } from 'node:crypto'
import { PlatformError } from '../kernel/errors.ts'

const uuidText = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Under which key a second publish finds the first. */
export function onceKey(type: string, ownId: string): string {
  return hashedId(type, uuidText.test(ownId) ? ownId.toLowerCase() : ownId)
}

/** The event's id for an id of the publisher's own: a UUID stays itself, all other text is hashed with the type. */
export function eventId(type: string, ownId: string): string {
  return uuidText.test(ownId) ? ownId.toLowerCase() : hashedId(type, ownId)
}

/**
 * The same text of the same type gives the same UUID, everywhere and for ever: version 8 (RFC 9562, 5.8) with the first
 * bits of a SHA-256, as in the appendix B.2 of the RFC.
 */
export function hashedId(type: string, ownId: string): string {
  if (typeof ownId !== 'string' || ownId === '')
    throw new PlatformError('INPUT_INVALID', `event ${type} has an empty id`, {
      issues: [{ path: '', message: 'must have an id of at least one character' }],
    })
  const bytes = createHash('sha256').update(`millrace event\0${type}\0`).update(ownId).digest()
  bytes[6] = 0x80 | ((bytes[6] as number) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f)
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
