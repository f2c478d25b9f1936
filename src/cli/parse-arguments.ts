import { type ArgsDef, type ParsedArgs, parseArgs } from 'citty'
import { UsageError } from './usage-error.ts'
import type { Verb } from './verb.ts'

/** Reads the arguments of a verb; throws UsageError for a flag nobody knows, a flag without value, a word too many. */
export function parseArguments({ name, args }: Verb, given: readonly string[]): ParsedArgs<ArgsDef> {
  const help = `See \`millrace ${name} --help\`.`
  const parsed = parse(args, given, help)
  const flags = Object.entries(args).filter(([, arg]) => arg.type !== 'positional')
  const known = flags.map(([flag]) => flag)
  for (const [flag, value] of Object.entries(parsed)) {
    if (flag === '_' || flag in args || dashed(flag) in args) {
      if (String(value) === '' && args[flag]?.type === 'string') throw new UsageError(`--${flag} needs a value`, help)
      continue
    }
    const written = flag.length === 1 ? `-${flag}` : `--${flag}`
    throw new UsageError(`${name} has no flag ${written}`, `It has ${known.map((k) => `--${k}`).join(', ')}, --help.`)
  }
  const words = Object.keys(args).length - flags.length
  const extra = parsed._[words]
  if (extra !== undefined) throw new UsageError(`${name} does not know what to do with "${extra}"`, help)
  return parsed
}

function parse(args: ArgsDef, given: readonly string[], help: string): ParsedArgs<ArgsDef> {
  try {
    return parseArgs([...given], args)
  } catch (error) {
    if (error instanceof Error && error.name === 'CLIError') throw new UsageError(error.message, help)
    throw error
  }
}

/** The reader gives `--dry-run` as `dryRun` too. */
const dashed = (flag: string): string => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
