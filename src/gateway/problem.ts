import { type Issue, messageOf, PlatformError } from '../kernel/errors.ts'

/** An error as it leaves: `application/problem+json` (RFC 9457). */
export interface Problem {
  /** `urn:millrace:error:<code>`. */
  type: string
  title: string
  status: number
  detail: string
  code: string
  hint: string
  /** The path that was asked for, without its query. */
  instance: string
  issues: readonly Issue[]
  requestId: string
}

export const problemType = 'application/problem+json'

/**
 * Describes an error to the caller. Of the server's own failures (5xx) nothing inner is told, neither message nor stack:
 * the request id leads to the log. `tellFailures` tells the message of a PlatformError all the same.
 */
export function problemOf(error: PlatformError, at: { id: string; url: string }, tellFailures: boolean): Problem {
  const { code, status, issues } = error
  const told = status < 500 || (tellFailures && code !== 'INTERNAL')
  return {
    type: `urn:millrace:error:${code}`,
    title: titleOf(code),
    status,
    detail: told ? error.message : `The request failed; the log has the cause under request id ${at.id}.`,
    code,
    hint: told ? error.hint : 'Try again later, or report the request id.',
    instance: pathOf(at.url),
    issues: told ? issues : [],
    requestId: at.id,
  }
}

/** Any error as one of ours: what Fastify refused keeps its meaning, everything else is INTERNAL. */
export function platformErrorOf(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error
  const known = fastifyErrors[codeOf(error)]
  if (known !== undefined) return new PlatformError(known.code, known.message, { cause: error })
  return new PlatformError('INTERNAL', messageOf(error), { cause: error })
}

type Known = { code: ConstructorParameters<typeof PlatformError>[0]; message: string }

const mediaType: Known = { code: 'MEDIA_TYPE_UNSUPPORTED', message: 'the body is not sent as JSON' }

const fastifyErrors: Partial<Record<string, Known>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'INPUT_TOO_LARGE', message: 'the body is larger than this route takes' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: mediaType,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'INPUT_MALFORMED',
    message: 'the body is not as long as content-length says',
  },
  FST_ERR_BAD_URL: { code: 'INPUT_MALFORMED', message: 'the path has a wrong percent escape' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'INPUT_TOO_LARGE', message: 'a parameter of the path is too long' },
  ECONNRESET: { code: 'INPUT_MALFORMED', message: 'the connection broke before the body was complete' },
}

/** `INPUT_INVALID` reads "Input invalid". */
function titleOf(code: string): string {
  return code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ')
}

export function pathOf(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : ''
}
