import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { PlatformError } from '../../kernel/errors.ts'

/** Who may use the console: whoever knows the token, or carries the cookie it was exchanged for. Never logged. */
export interface ConsoleToken {
  readonly token: string
  /** What the cookie holds: proves that the token was known, without telling it. */
  readonly session: string
  isToken(text: string | undefined): boolean
  isSession(text: string | undefined): boolean
}

/** @param token at least 16 characters; a random one when absent */
export function consoleToken(token: string = randomBytes(24).toString('base64url')): ConsoleToken {
  if (token.length < 16) {
    throw new PlatformError('OPTION_INVALID', 'the token of the console is shorter than 16 characters', {
      hint: 'Use a random one, such as from `openssl rand -base64 24`.',
    })
  }
  const session = createHmac('sha256', token).update('millrace console session').digest('base64url')
  return {
    token,
    session,
    isToken: (text) => text !== undefined && same(text, token),
    isSession: (text) => text !== undefined && same(text, session),
  }
}

/** Compares without telling by its time how much agrees. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
