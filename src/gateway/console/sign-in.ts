import { html } from '../docs/html.ts'
import { cookieName } from './guard.ts'
import type { ConsoleToken } from './token.ts'

/** A page without scripts, for those who cannot see the console yet. */
const style = `:root { color-scheme: light dark } body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 15px/1.6 system-ui, sans-serif; color: light-dark(#171b21, #e7ebf0); background: light-dark(#fff, #0f1216) }
main { max-width: 26rem; padding: 2rem } h1 { font-size: 1.2rem; margin: 0 0 .5rem } p { margin: 0 0 1rem; color: light-dark(#59636f, #9aa6b2) }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; color: light-dark(#171b21, #e7ebf0) } label { display: block; font-size: .85rem; margin-bottom: .25rem }
form { display: grid; grid-template-columns: 1fr auto; gap: .5rem } label { grid-column: 1 / -1 }
input, button { font: inherit; padding: .4rem .7rem; border-radius: 6px; border: 1px solid light-dark(#8a94a0, #5b6672); background: light-dark(#fff, #161b21); color: inherit; min-width: 0 }
button { cursor: pointer } :focus-visible { outline: 2px solid light-dark(#0b62c4, #6cb2ff); outline-offset: 2px }`

export const noticePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Explains how to sign in; `path` is where the reader wanted to go. */
export function signInPage(path: string, wrongToken: boolean): string {
  return notice(
    'Sign in',
    html`<h1>${wrongToken ? 'This link is out of date' : 'Sign in to the console'}</h1>
<p>Open the link that the app printed when it started. It looks like <code>/_/?t=…</code> and works until the token changes.</p>
<form method="get" action="${path}"><label for="t">Or paste the token</label>
<input id="t" name="t" type="password" autocomplete="off" required><button>Sign in</button></form>`,
  )
}

/** Shown when the folder of the console is empty. */
export function notBuiltPage(): string {
  return notice(
    'Not built',
    html`<h1>The console is not built</h1><p>Run <code>npm run build</code> and start the app again.</p>`,
  )
}

function notice(title: string, content: ReturnType<typeof html>): string {
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Millrace</title><style>${style}</style></head><body><main>${content}</main></body></html>`.text
}

/** The cookie that a right token is exchanged for. Gone with the browser session; useless to scripts and other sites. */
export function sessionCookie(host: string | undefined, token: ConsoleToken, secure: boolean): string {
  const attributes = `Path=/_/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return `${cookieName(host)}=${token.session}; ${attributes}`
}

/** The same address without its token. */
export function withoutToken(url: string): string {
  // The path stays as sent: normalised, `/_/..//host` would lead away from here.
  const [path = '/_/', text = ''] = url.split('?', 2)
  const query = new URLSearchParams(text)
  query.delete('t')
  return query.size === 0 ? path : `${path}?${query}`
}
