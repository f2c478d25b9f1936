import { PlatformError } from '../kernel/errors.ts'
import type { AppPlace } from './find-app.ts'
import { loadModule } from './load-module.ts'
import { UsageError } from './usage-error.ts'

/** What an app's companion is asked for: `perSecond` requests to `url` until `signal` aborts. */
export interface LoadRequest {
  url: string
  perSecond: number
  signal: AbortSignal
}

export type Companion = (request: LoadRequest) => Promise<unknown>

/** Requests a second, from `--load`. */
export function readLoad(text: string | undefined, place: AppPlace): number | undefined {
  if (text === undefined) return undefined
  const perSecond = Number(text)
  if (!(perSecond > 0) || !Number.isFinite(perSecond)) {
    throw new UsageError(`--load is "${text}"`, 'Use a number of requests a second, such as --load 20.')
  }
  if (place.load === undefined) {
    throw new UsageError(
      'this app brings no load',
      'Name its file in package.json: "millrace": { "load": "src/load.ts" }.',
    )
  }
  return perSecond
}

/** Imports the companion: the one function that its file exports. */
export async function loadCompanion({ load }: AppPlace): Promise<Companion> {
  const exported = load === undefined ? [] : Object.values(await loadModule(load))
  const functions = exported.filter((value): value is Companion => typeof value === 'function')
  const [companion] = functions
  if (companion !== undefined && functions.length === 1) return companion
  throw new PlatformError('APP_INVALID', `${load} exports ${functions.length} functions`, {
    hint: 'Export one: async function ({ url, perSecond, signal }) that sends requests until the signal aborts.',
  })
}
