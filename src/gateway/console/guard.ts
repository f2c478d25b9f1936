import type { IncomingHttpHeaders } from 'node:http'
import { PlatformError } from '../../kernel/errors.ts'
import type { ConsoleToken } from './token.ts'

/** The part of a request that decides who asks and from where. */
export interface Asking {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

/**
 * Refuses host names that are not ours: a page of a stranger can point its own name at 127.0.0.1 (DNS rebinding), but
 * cannot make the browser send another name.
 */
export function checkHost(host: string | undefined, allowed: readonly string[]): void {
  const name = hostName(host ?? '')
  if (isLoopback(name) || allowed.includes(name)) return
  throw new PlatformError('HOST_REFUSED', `the console does not answer under the host name "${name}"`)
}

/** `[::1]:4400` is `::1`, `Shop.localhost:4400` is `shop.localhost`. */
function hostName(host: string): string {
  const bracketed = /^\[([\da-f:.]+)\](?::\d+)?$/i.exec(host)?.[1]
  return (bracketed ?? host.replace(/:\d+$/, '')).toLowerCase()
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

/**
 * Refuses whoever is not signed in. A cookie counts only for requests of our own pages: browsers send it along from
 * other pages of the same host too, whatever their port.
 */
export function checkSignedIn(asking: Asking, token: ConsoleToken): void {
  const [scheme, credentials] = (asking.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() === 'bearer' && token.isToken(credentials)) return
  if (!hasSession(asking, token)) {
    throw new PlatformError('UNAUTHENTICATED', 'the console needs a sign-in', {
      hint: 'Open the link that was printed at the start, or send the header authorization: Bearer <token>.',
    })
  }
  if (isFromOurPage(asking)) return
  throw new PlatformError('FORBIDDEN', 'this request comes from another page than the console', {
    hint: 'Use the console itself, or send the header authorization: Bearer <token>.',
  })
}

export function hasSession({ headers }: Asking, token: ConsoleToken): boolean {
  const name = cookieName(headers.host)
  const cookies = (headers.cookie ?? '').split(/; */).filter((cookie) => cookie.startsWith(`${name}=`))
  return cookies.some((cookie) => token.isSession(cookie.slice(name.length + 1)))
}

/** Cookies ignore ports, so that of each app on this host carries the port in its name. */
export function cookieName(host: string | undefined): string {
  return `millrace_console_${/:(\d+)$/.exec(host ?? '')?.[1] ?? 'default'}`
}

function isFromOurPage({ method, headers }: Asking): boolean {
  const reading = method === 'GET' || method === 'HEAD'
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || (site === 'none' && reading)
  const { origin, host } = headers
  if (origin !== undefined) return origin === `http://${host}` || origin === `https://${host}`
  return reading
}
