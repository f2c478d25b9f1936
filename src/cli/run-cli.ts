import { stripVTControlCharacters } from 'node:util'
import { type ArgsDef, type CommandDef, defineCommand, renderUsage } from 'citty'
import { ownVersion } from '../kernel/own-version.ts'
import { contractsVerb } from './contracts.ts'
import { devVerb } from './dev.ts'
import { discardVerb } from './discard.ts'
import { doctorVerb } from './doctor.ts'
import { editVerb } from './edit.ts'
import { emitVerb } from './emit.ts'
import { readEnvironment } from './environment.ts'
import { failedVerb } from './failed.ts'
import { logVerb, restoreVerb } from './log.ts'
import { Output } from './output.ts'
import { parseArguments } from './parse-arguments.ts'
import { pauseVerb, resumeVerb } from './pause.ts'
import { redriveVerb } from './redrive.ts'
import { replaysVerb, replayVerb } from './replay.ts'
import { printError, showError } from './shown-error.ts'
import { startVerb } from './start.ts'
import { tailVerb } from './tail.ts'
import { UsageError } from './usage-error.ts'
import type { Verb } from './verb.ts'

const verbs: readonly Verb[] = [
  devVerb,
  startVerb,
  tailVerb,
  emitVerb,
  failedVerb,
  redriveVerb,
  discardVerb,
  editVerb,
  pauseVerb,
  resumeVerb,
  replayVerb,
  replaysVerb,
  logVerb,
  restoreVerb,
  contractsVerb,
  doctorVerb,
]

const millrace: CommandDef<ArgsDef> = defineCommand<ArgsDef>({
  meta: { name: 'millrace', version: ownVersion(), description: 'Runs and looks into Millrace apps' },
  subCommands: Object.fromEntries(verbs.map(({ name, command }) => [name, command])),
})

/** Runs one command; resolves with the exit code: 0 done, 1 failed, 2 called wrongly. */
export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const flag = (name: string): boolean => beforeDashes(args).includes(`--${name}`)
  const verbose = flag('verbose') || env['LOG_LEVEL'] === 'debug'
  const out = new Output({
    json: flag('json'),
    plain: (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb',
    verbose,
  })
  try {
    const [name, ...rest] = args
    const found = verbs.find((known) => known.name === name)
    if (flag('help') || beforeDashes(args).includes('-h') || name === undefined || name === 'help') {
      out.line(await helpOf(found, out))
      return name === undefined ? 2 : 0
    }
    if (name === '--version' || name === '-v') {
      out.line(ownVersion())
      return 0
    }
    if (found === undefined)
      throw new UsageError(`there is no command "${name}"`, `There are ${verbs.map((known) => known.name).join(', ')}.`)
    const parsed = parseArguments(found, rest)
    return await found.run(parsed, { environment: readEnvironment(env), out, verbose })
  } catch (error) {
    printError(out, showError(error))
    return error instanceof UsageError ? 2 : 1
  }
}

const beforeDashes = (args: readonly string[]): readonly string[] => {
  const end = args.indexOf('--')
  return end === -1 ? args : args.slice(0, end)
}

async function helpOf(found: Verb | undefined, out: Output): Promise<string> {
  const text = found === undefined ? await renderUsage(millrace) : await renderUsage(found.command, millrace)
  const shown = found === undefined ? `${text}\n\n${variables}` : text
  return out.paint('reset', 'x') === 'x' ? stripVTControlCharacters(shown) : shown
}

const variables = `ENVIRONMENT

  PORT                    Port of the app; 0 takes a free one (Default: 4400)
  HOST                    Address to listen on (Default: 127.0.0.1)
  MILLRACE_DIR            Folder of the data (Default: .millrace in the app's folder)
  DATABASE_URL            A Postgres of yours, 14 or newer, instead of the one that comes along
  MILLRACE_CONSOLE_TOKEN  Signs in to the console (Default: a new one at each start)
  LOG_LEVEL               debug, info, warn, error or silent
  NO_COLOR                Plain text`
