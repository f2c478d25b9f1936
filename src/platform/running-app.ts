import type { Operations } from '../admin/contract.ts'
import type { Publish } from '../events/publish.ts'
import type { EventMeta } from '../events/record.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Metrics } from '../kernel/metrics.ts'
import type { Sql } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import type { AppDefinition } from './app-definition.ts'

/** Where an app keeps its data: its own Postgres in a folder, or one that is there. */
export type StoreLocation =
  | {
      kind: 'embedded'
      directory: string
      fast?: boolean
      /** The Postgres of this folder when the process above us runs it, as `millrace dev` does; it is not ours to close. */
      running?: { url: string; version: string; port: number }
    }
  | {
      kind: 'url'
      /** With the parameter `pgbouncer=true` it is that of a pooler in transaction mode. */
      url: string
      /** The server itself behind a pooler, for wake-ups and change capture. */
      directUrl?: string
    }

export interface StartOptions {
  location: StoreLocation
  environment?: 'development' | 'production'
  /** Absent: no HTTP at all (tests, workers). Port 0 takes a free one. */
  http?: { port: number; host?: string }
  /** Signs in to the console; made anew when absent. */
  consoleToken?: string
  /** Most Postgres connections of the pool. @default 20 */
  connections?: number
  logger?: Logger
  clock?: Clock
  faults?: Faults
  metrics?: Metrics
  /** Name of this process in the fleet. @default host and process id */
  memberName?: string
  /** Told what start-up does, for a first screen. */
  onStep?: (step: StartStep) => void
}

/** One thing that start-up did. */
export interface StartStep {
  name: 'postgres' | 'schema' | 'tables' | 'changes' | 'app' | 'http'
  message: string
  tookMs: number
}

/** An app at work. */
export interface RunningApp {
  readonly definition: AppDefinition
  /** `http://127.0.0.1:4400`; `undefined` without HTTP. */
  readonly url: string | undefined
  /** The console with its sign-in token in the address. */
  readonly consoleUrl: string | undefined
  readonly store: Store
  readonly sql: Sql
  readonly publish: Publish
  readonly metrics: Metrics
  readonly faults: Faults
  /** Runs an operation of the console; the CLI and tests use the same ones. */
  operate<N extends keyof Operations>(name: N, input: Operations[N]['input']): Promise<Operations[N]['output']>
  transaction<T>(work: (tx: { sql: Sql; publish: Publish; origin: EventMeta }) => Promise<T>): Promise<T>
  /** Builds a projection anew beside the one that serves, which it then replaces; false when there is none of this name. */
  rebuildProjection(name: string): Promise<boolean>
  /** Runs code as a part of this app: declarations used inside find this app's parts. */
  within<T>(work: () => T): T
  /**
   * Resolves when everything committed or due before the call is captured and every follower has passed it (what waits
   * for a retry excepted; jobs are waited for with `waitFor`). Fails after `timeoutMs`, default 10 s, saying who lags.
   */
  settled(timeoutMs?: number): Promise<void>
  /** Finishes or hands back what is under way, within 5 s, and stops Postgres when it is ours. */
  stop(): Promise<void>
}
