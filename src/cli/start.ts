import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningApp, StartOptions } from '../platform/running-app.ts'
import { removeAppFile, writeAppFile } from './app-file.ts'
import type { Environment } from './environment.ts'
import { type AppPlace, findApp } from './find-app.ts'
import { loadApp } from './load-app.ts'
import { loadCompanion, readLoad } from './load-companion.ts'
import { localAddress, Screen } from './screen.ts'
import { printError, showError } from './shown-error.ts'
import { aborted, stopSignals } from './stop-signals.ts'
import { type Verb, type VerbContext, verb } from './verb.ts'

/** An app is given 5 s to end; a little of it is ours. */
const stopMs = 4800

export const runArgs = {
  folder: { type: 'positional', required: false, description: 'Folder of the app, or its file (Default: this one)' },
  load: { type: 'string', valueHint: 'n', description: "Let the app's companion send n requests a second" },
} as const

export const startVerb: Verb = verb({
  name: 'start',
  summary: 'Run an app in production',
  args: runArgs,
  async run({ folder, load }, context) {
    const signal = stopSignals()
    const place = findApp(folder ?? '.')
    const perSecond = readLoad(load, place)
    try {
      return await start(place, perSecond, context, signal)
    } catch (error) {
      if (signal.aborted) return 0 // what ends while it starts may well complain
      printError(context.out, showError(error, place.folder))
      return 1
    }
  },
})

async function start(
  place: AppPlace,
  perSecond: number | undefined,
  context: VerbContext,
  signal: AbortSignal,
): Promise<number> {
  const { environment, out } = context
  const directory = environment.directoryOf(place.folder)
  const token = environment.consoleToken ?? newToken()
  const screen = new Screen(out)
  // Loaded now: the other commands need none of it.
  const { startApp } = await import('../platform/start-app.ts')
  const { humanLogger, jsonLogger } = await import('./loggers.ts')
  const logger = out.interactive
    ? humanLogger(out, environment.logLevel ?? 'warn')
    : jsonLogger(environment.logLevel ?? 'info')
  const definition = await loadApp(place)
  const companion = perSecond === undefined ? undefined : await loadCompanion(place)
  if (out.interactive) screen.header(definition.name, 'start')

  const starting = startApp(definition, {
    location: locationOf(environment, directory),
    environment: 'production',
    http: httpOf(environment),
    consoleToken: token,
    logger,
    onStep: (step) =>
      out.interactive || out.json
        ? screen.step(step)
        : logger.info({ step: step.name, tookMs: step.tookMs }, step.message),
  })
  await Promise.race([starting, aborted(signal)])
  if (signal.aborted) return await stop(starting, directory)
  const app = await starting

  const url = localAddress(app.url ?? '')
  writeAppFile(directory, { url, pid: process.pid, token })
  if (out.interactive || out.json) screen.ready({ url, consoleUrl: app.consoleUrl }, false)
  else out.line(`ready ${url}`)
  const load = perSecond === undefined ? undefined : companion?.({ url, perSecond, signal })
  await Promise.race([aborted(signal), load ?? aborted(signal)])
  await aborted(signal)
  return await stop(starting, directory)
}

/** Ends in time whatever hangs: what was under way is handed back then as after a crash. */
async function stop(starting: Promise<RunningApp>, directory: string): Promise<number> {
  const stopping = starting.then((app) => app.stop())
  await Promise.race([stopping, sleep(stopMs, undefined, { ref: false })])
  removeAppFile(directory)
  return 0
}

export const newToken = (): string => randomBytes(24).toString('base64url')

export function locationOf({ databaseUrl, directUrl }: Environment, directory: string): StartOptions['location'] {
  if (databaseUrl === undefined) return { kind: 'embedded', directory }
  return { kind: 'url', url: databaseUrl, ...(directUrl !== undefined && { directUrl }) }
}

export function httpOf({ port, host }: Environment): { port: number; host?: string } {
  return { port, ...(host !== undefined && { host }) }
}
