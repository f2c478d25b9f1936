import type { FastifyReply, FastifyRequest } from 'fastify'
import { PlatformError } from '../../kernel/errors.ts'
import { pathOf } from '../problem.ts'
import type { Asset, Assets } from './assets.ts'
import { hasSession } from './guard.ts'
import { notBuiltPage, noticePolicy, sessionCookie, signInPage, withoutToken } from './sign-in.ts'
import type { ConsoleToken } from './token.ts'

/** Answers everything below `/_/` that is no operation: files, the page itself for any other address, and the sign-in. */
export function servePage(
  assets: Assets,
  token: ConsoleToken,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { t: given } = request.query as { t?: unknown }
  const path = pathOf(request.url)
  if (typeof given === 'string' && token.isToken(given)) return signIn(token, request, reply)

  const { '*': name = '' } = request.params as { '*'?: string }
  const asset = name === 'index.html' ? undefined : assets.files.get(name)
  if (asset !== undefined) return sendAsset(asset, reply)
  if (!isPageAddress(name)) throw new PlatformError('NOT_FOUND', `there is nothing at ${path}`)

  if (!hasSession(request, token)) return sendNotice(reply, 401, signInPage(path, given !== undefined))
  if (assets.index === undefined) return sendNotice(reply, 503, notBuiltPage())
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', assets.index.policy)
    .header('cache-control', 'no-cache')
    .send(assets.index.body)
}

function signIn(token: ConsoleToken, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(303)
    .header('set-cookie', sessionCookie(request.headers.host, token, request.protocol === 'https'))
    .header('cache-control', 'no-store')
    .header('location', withoutToken(request.url))
    .send()
}

/** Addresses of pages have no file ending and stay below `/_/`. */
function isPageAddress(name: string): boolean {
  if (name === 'index.html') return true
  const segments = name.split('/')
  return !/[\\\0]/.test(name) && segments.every((segment) => segment !== '..') && !/\.\w+$/.test(segments.at(-1) ?? '')
}

function sendAsset({ body, type, immutable }: Asset, reply: FastifyReply): FastifyReply {
  return reply
    .header('content-type', type)
    .header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    .send(body)
}

function sendNotice(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', noticePolicy)
    .header('cache-control', 'no-store')
    .send(page)
}
