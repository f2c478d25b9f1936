import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformError } from '../../src/kernel/errors.ts'
import { type Logger, silentLogger } from '../../src/kernel/logger.ts'
import type { RunningApp } from '../../src/platform/running-app.ts'
import { startApp } from '../../src/platform/start-app.ts'
import { chaosApp } from './chaos-app.ts'
import { History } from './chaos-history.ts'
import { Operator } from './chaos-operator.ts'
import { seeded } from './chaos-random.ts'
import { Writer } from './chaos-writer.ts'

/** What a process of the check is started with. */
export interface ChaosOrder {
  url: string
  directory: string
  name: string
  seed: number
}

/** What it is told on its channel. */
export type ChaosMessage = { poison: number } | 'quiet'

/** What it tells. */
export type ChaosAnswer = 'ready' | 'quiet'

const writers = 3

/** Runs the app, writes and operates at random, until it is killed or asked to end; quiet, it only goes on handling. */
async function runChaosProcess({ url, directory, name, seed }: ChaosOrder): Promise<void> {
  const running = await startPatiently(url, directory, name)
  const history = new History(directory, name)
  const shared = { running, url, history }
  const quiet = new AbortController()
  const lanes = Array.from({ length: writers }, (_, n) => {
    const random = seeded(seed + n)
    return { random, writer: new Writer({ ...shared, random, name: `${name}.w${n}` }) }
  })
  const random = seeded(seed + writers)
  const operator = new Operator({ ...shared, random, name: `${name}.o` })

  const working = [
    ...lanes.map(async ({ random: own, writer }) => {
      while (!quiet.signal.aborted) {
        await writer.step()
        await sleep(own.int(5, 90))
      }
    }),
    (async () => {
      while (!quiet.signal.aborted) {
        await operator.step()
        await sleep(random.int(100, 700))
      }
    })(),
  ]
  process.on('message', (message: ChaosMessage) => {
    if (message !== 'quiet') return void lanes[0]?.writer.poison(message.poison)
    if (quiet.signal.aborted) return
    quiet.abort()
    void (async () => {
      await Promise.all(working)
      tell('quiet')
      for (;;) {
        await operator.resume()
        await sleep(250)
      }
    })()
  })
  process.once('SIGTERM', async () => {
    quiet.abort()
    await Promise.race([Promise.all(working), sleep(3000)])
    await running.stop().catch((error: unknown) => process.stderr.write(`stopping: ${String(error)}\n`))
    process.exit(0)
  })
  tell('ready')
}

/** Postgres may be down just now. */
async function startPatiently(url: string, directory: string, name: string): Promise<RunningApp> {
  for (;;) {
    try {
      return await startApp(chaosApp(directory), {
        location: { kind: 'url', url },
        environment: 'production',
        logger: errorsOnly,
        connections: 12,
        memberName: `${name}-${randomUUID().slice(0, 4)}`,
      })
    } catch (error) {
      const passing =
        error instanceof PlatformError
          ? error.retryable
          : /57P|08|ECONN|terminated/.test(String(Reflect.get(Object(error), 'code')) + String(error))
      if (!passing) throw error
      await sleep(200)
    }
  }
}

const errorsOnly: Logger = {
  ...silentLogger,
  error: (...told: unknown[]) => void process.stderr.write(`${JSON.stringify(told)}\n`),
}

const tell = (answer: ChaosAnswer): void => void process.send?.(answer)

if (process.argv[1] === import.meta.filename) {
  // Whoever started it is gone.
  process.on('disconnect', () => process.exit(1))
  await runChaosProcess(JSON.parse(process.argv[2] ?? '') as ChaosOrder)
}
