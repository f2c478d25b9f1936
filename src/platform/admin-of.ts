import type { Check } from '../admin/contract.ts'
import type { Admin } from '../admin/create-admin.ts'
import { createAdmin } from '../admin/create-admin.ts'
import type { ConsumerDeps, RunningConsumer } from '../delivery/consumer.ts'
import type { HealthCheck } from '../gateway/health.ts'
import { messageOf } from '../kernel/errors.ts'
import { ownVersion } from '../kernel/own-version.ts'
import type { AppDefinition } from './app-definition.ts'
import type { CacheFollower, FollowedCache } from './cache-follower.ts'
import type { CaptureDuty } from './capture-duty.ts'
import type { Publisher } from './publisher.ts'
import type { StartOptions } from './running-app.ts'

/** The operations of a running app, and what its health is judged by. */
export interface AdminPart extends Admin {
  health(): Promise<HealthCheck[]>
}

export interface AdminDeps {
  definition: AppDefinition
  options: StartOptions
  deps: ConsumerDeps
  consumers: readonly RunningConsumer[]
  caches: readonly FollowedCache[]
  follower: CacheFollower
  capture: CaptureDuty | undefined
  publisher: Publisher
  startedAt: Date
}

export function adminOf({
  definition,
  options,
  deps,
  consumers,
  caches,
  follower,
  capture,
  publisher,
  startedAt,
}: AdminDeps): AdminPart {
  const { store, feed, metrics, clock, logger, member } = deps
  const running = consumers.map((consumer) => ({
    name: consumer.spec.name,
    positionOf: (slot: number) => consumer.positionOf(slot),
    get handledTotal() {
      return consumer.handledTotal
    },
    latencyQuantile: (q: number) => consumer.latencyQuantile(q),
  }))
  const checks = async (): Promise<Check[]> => [await storeCheck(deps), ...captureChecks(capture)]
  const admin = createAdmin({
    app: definition.name,
    environment: options.environment ?? 'production',
    version: ownVersion(),
    parts: definition.parts,
    store,
    feed,
    metrics,
    clock,
    logger,
    startedAt,
    memberName: member.name,
    publish: publisher.publish,
    archive: definition.retention.archive,
    consumers: () => running,
    cacheStats: (name) => caches.find((cache) => cache.definition.name === name)?.runtime.stats(),
    cachePosition: () => follower.position,
    checks,
  })
  return Object.assign(admin, { health: checks })
}

/** A store that does not answer in this time counts as away. */
const patienceMs = 2000

async function storeCheck({ store }: ConsumerDeps): Promise<Check> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs)
  })
  try {
    await Promise.race([store.sql`select 1`, late])
    return { name: 'postgres', status: 'ok', message: 'Postgres answers' }
  } catch (error) {
    return {
      name: 'postgres',
      status: 'error',
      message: `Postgres does not answer: ${messageOf(error)}`,
      mend: 'millrace doctor',
    }
  } finally {
    clearTimeout(timer)
  }
}

function captureChecks(capture: CaptureDuty | undefined): Check[] {
  const status = capture?.status()
  if (status === undefined) return []
  const { state, error, lagBytes } = status
  if (state === 'failed')
    return [
      {
        name: 'capture',
        status: 'error',
        message: `Changes are not captured: ${error?.message ?? 'see the log'}`,
        mend: 'millrace doctor',
      },
    ]
  if (state === 'retrying')
    return [
      { name: 'capture', status: 'warning', message: `Capture is interrupted: ${error?.message ?? 'see the log'}` },
    ]
  return [
    {
      name: 'capture',
      status: 'ok',
      message:
        lagBytes === 0 ? 'Changes are captured as they commit' : `Changes are captured; ${lagBytes} bytes of log to go`,
    },
  ]
}
