import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export interface OutputOptions {
  json: boolean
  plain: boolean
  verbose: boolean
}

/** Writes for people or, with --json, for programs. Without a terminal or with NO_COLOR nothing is coloured. */
export class Output {
  readonly json: boolean
  /** Shows stacks and causes of errors. */
  readonly verbose: boolean
  /** A person sits at both ends. */
  readonly interactive: boolean
  readonly #coloured: boolean

  constructor({ json, plain, verbose }: OutputOptions) {
    this.json = json
    this.verbose = verbose
    this.interactive = !json && process.stdout.isTTY === true && process.stdin.isTTY === true
    this.#coloured = !json && !plain && process.stdout.isTTY === true
  }

  /** A line of result. */
  line(text = ''): void {
    process.stdout.write(`${withoutSecrets(text)}\n`)
  }

  /** A line beside the result: progress, warnings, errors. */
  note(text: string): void {
    process.stderr.write(`${withoutSecrets(text)}\n`)
  }

  /** A result as one line of JSON. */
  data(value: unknown): void {
    this.line(JSON.stringify(value))
  }

  paint(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text, { validateStream: false }) : text
  }
}

/** Hides the password of any address: messages of libraries repeat what they were given. */
export function withoutSecrets(text: string): string {
  return text.replace(/(\w+:\/\/[^\s:/@]*):[^\s@/]*@/g, '$1:***@')
}
