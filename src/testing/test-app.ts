import type { Logger } from '../kernel/logger.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { AppDefinition } from '../platform/app-definition.ts'
import type { RunningApp } from '../platform/running-app.ts'
import { startApp } from '../platform/start-app.ts'
import { type TestClock, testClock } from './test-clock.ts'
import { testDatabase } from './test-postgres.ts'

export interface TestAppOptions {
  /** Serve HTTP on a free port. @default false */
  http?: boolean
  /** @default silent */
  logger?: Logger
  /** A clock that moves only when told. @default real time */
  clock?: TestClock
  /** Run on this database (a second process of the same app, say) instead of one of its own. */
  url?: string
  /** The address behind a pooler in `url`. */
  directUrl?: string
  memberName?: string
}

/** A running app of one test, on a database of its own. `await using` stops it and drops the database. */
export interface TestApp extends RunningApp, AsyncDisposable {
  readonly clock: TestClock
  /** The address of its database. */
  readonly databaseUrl: string
}

/** Starts an app for a test. */
export async function testApp(definition: AppDefinition, options: TestAppOptions = {}): Promise<TestApp> {
  const { http = false, logger = silentLogger, clock } = options
  const database = options.url === undefined ? await testDatabase() : undefined
  const url = options.url ?? (database?.url as string)
  try {
    const running = await startApp(definition, {
      location: { kind: 'url', url, ...(options.directUrl === undefined ? {} : { directUrl: options.directUrl }) },
      environment: 'development',
      logger,
      connections: 12,
      ...(clock === undefined ? {} : { clock }),
      ...(http ? { http: { port: 0 } } : {}),
      ...(options.memberName === undefined ? {} : { memberName: options.memberName }),
    })
    const stop = async (): Promise<void> => {
      await running.stop()
      await database?.drop()
    }
    return { ...running, clock: clock ?? testClock(), databaseUrl: url, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await database?.drop()
    throw error
  }
}
