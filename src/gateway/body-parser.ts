import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify'
import { messageOf, PlatformError } from '../kernel/errors.ts'

/** Parses JSON bodies and says what is wrong with those that are not; an empty body is none. */
export function bodyParser(server: FastifyInstance): FastifyBodyParser<string> {
  // Refuses `__proto__` and `constructor.prototype`, which would reach into every object later on.
  const parseSafely = server.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, text: string, done: (error: Error | null, body?: unknown) => void) => {
    if (text.length === 0) return done(null, undefined)
    return parseSafely(request, text, (error, body) => {
      if (error === null) return done(null, body)
      done(new PlatformError('INPUT_MALFORMED', `the body ${problemWith(text)}`, { cause: error }))
    })
  }
}

function problemWith(text: string): string {
  try {
    JSON.parse(text)
    return 'has a field that no JSON document may have here (`__proto__` or `constructor.prototype`)'
  } catch (error) {
    return `is no JSON: ${messageOf(error)}`
  }
}
