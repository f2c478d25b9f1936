import type { StartOptions, StartStep, StoreLocation } from '../platform/running-app.ts'
import type { LogLevel } from './environment.ts'
import type { AppPlace } from './find-app.ts'
import type { ShownError } from './shown-error.ts'

/** What a child needs to run its app. */
export type ChildStart = Pick<StartOptions, 'location' | 'http' | 'consoleToken'> & { logLevel: LogLevel }

/** From the supervisor to a child. */
export type Order =
  | { do: 'load'; place: AppPlace; location: StoreLocation }
  | { do: 'start'; options: ChildStart }
  | { do: 'stop' }

/** From a child to the supervisor. */
export type Report =
  | { did: 'load'; name: string }
  | { did: 'step'; step: StartStep }
  | { did: 'start'; url: string; consoleUrl: string | undefined }
  | { did: 'fail'; error: ShownError }
