import { ownVersion } from '../kernel/own-version.ts'
import type { StartStep } from '../platform/running-app.ts'
import type { Output } from './output.ts'

export interface Addresses {
  url: string
  consoleUrl: string | undefined
}

/** What a start looks like to a person: a line for each thing that came up, then where to go. */
export class Screen {
  readonly #out: Output

  constructor(out: Output) {
    this.#out = out
  }

  header(app: string, mode: 'dev' | 'start'): void {
    if (this.#out.json) return
    const bold = this.#out.paint('bold', `millrace ${ownVersion()} · ${app} · ${mode}`)
    this.#out.line(`\n  ${bold}   ${this.#out.paint('dim', `node ${process.versions.node}`)}`)
  }

  step({ name, message, tookMs }: StartStep): void {
    if (this.#out.json) this.#out.data({ step: name, message, tookMs })
    // The addresses tell of http.
    else if (name !== 'http') this.#tell(name, message, tookMs)
  }

  #tell(name: string, message: string, tookMs: number): void {
    const told = message.replaceAll(`${process.cwd()}/`, '')
    this.#out.line(
      `  ${this.#out.paint('green', '✔')} ${name.padEnd(10)} ${told.padEnd(62)} ${this.#out.paint('dim', seconds(tookMs))}`,
    )
  }

  /** Scripts wait for the line that says `ready`; it stands alone. */
  ready({ url, consoleUrl }: Addresses, keys: boolean): void {
    if (this.#out.json) this.#out.data({ ready: url })
    else this.#welcome({ url, consoleUrl }, keys)
  }

  #welcome({ url, consoleUrl }: Addresses, keys: boolean): void {
    const out = this.#out
    out.line(`\n  API      ${out.paint('cyan', url)}`)
    if (consoleUrl !== undefined) {
      out.line(`  Console  ${out.paint('cyan', consoleUrl)}   ${out.paint('dim', '(signed in by this link)')}`)
    }
    out.line(`  Docs     ${out.paint('cyan', `${url}/docs`)}`)
    if (keys) out.line(out.paint('dim', '  o open  r restart  d doctor  q quit'))
    out.line()
    out.line(`ready ${url}`)
  }
}

/** 1.1 s, 140 ms. */
export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** The address by which this machine reaches an app, whatever it listens on. */
export function localAddress(url: string): string {
  return `http://127.0.0.1:${new URL(url).port || '80'}`
}
