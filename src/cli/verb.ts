import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty'
import type { Environment } from './environment.ts'
import type { Output } from './output.ts'

/** What a verb works with, beside its arguments. */
export interface VerbContext {
  readonly environment: Environment
  readonly out: Output
  /** Every flag as it was given, to hand on to a child. */
  readonly verbose: boolean
}

/** A command of the CLI. */
export interface Verb {
  readonly name: string
  readonly summary: string
  readonly args: ArgsDef
  readonly command: CommandDef<ArgsDef>
  /** Resolves with the exit code. */
  run(args: ParsedArgs<ArgsDef>, context: VerbContext): Promise<number>
}

const common = {
  json: { type: 'boolean', description: 'Write JSON, one value a line' },
  verbose: { type: 'boolean', description: 'Show stacks and causes of errors' },
} as const satisfies ArgsDef

/** Which app a command beside it means. */
export const appArg: { readonly app: { type: 'string'; valueHint: string; description: string; default: '.' } } = {
  app: { type: 'string', valueHint: 'folder', description: 'Folder of the app', default: '.' },
}

export function verb<const A extends ArgsDef>(definition: {
  name: string
  summary: string
  args: A
  run(args: ParsedArgs<A>, context: VerbContext): Promise<number>
}): Verb {
  const { name, summary, run } = definition
  const args: ArgsDef = { ...definition.args, ...common }
  return {
    name,
    summary,
    args,
    command: defineCommand<ArgsDef>({ meta: { name, description: summary }, args }),
    run: (parsed, context) => run(parsed as ParsedArgs<A>, context),
  }
}
