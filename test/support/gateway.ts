import { type Gateway, type GatewayOptions, openGateway } from '../../src/gateway/gateway.ts'
import type { Logger } from '../../src/kernel/logger.ts'
import { Metrics } from '../../src/kernel/metrics.ts'

export interface LogLine {
  level: string
  fields: Record<string, unknown>
  message: string
}

/** A logger that keeps its lines. */
export function keepingLogger(): Logger & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const keep =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields: { ...fields }, message })
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }
}

/** A gateway on a free port whose handlers need no platform. */
export async function testGateway(
  options: Partial<GatewayOptions> = {},
): Promise<Gateway & { logger: ReturnType<typeof keepingLogger> }> {
  const logger = keepingLogger()
  const unused = (): never => {
    throw new Error('this test has no platform')
  }
  const gateway = await openGateway({
    title: 'test',
    routes: [],
    context: () => ({ sql: Object.assign(unused, { query: unused }), transaction: unused, publish: unused }),
    platform: {},
    metrics: new Metrics(),
    logger,
    health: () => [],
    ...options,
  })
  return Object.assign(gateway, { logger })
}

/** Something that happens once and can be waited for. */
export class Signal {
  readonly given: Promise<void>
  readonly give: () => void

  constructor() {
    let give = (): void => undefined
    this.given = new Promise((resolve) => {
      give = resolve
    })
    this.give = give
  }
}
