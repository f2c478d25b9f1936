import { setMaxListeners } from 'node:events'
import { backoffMs } from '../kernel/backoff.ts'
import { systemClock } from '../kernel/clock.ts'
import { errorRecord, messageOf, PlatformError } from '../kernel/errors.ts'
import { type CaptureOptions, type ResolvedCaptureOptions, resolveCaptureOptions } from './capture-options.ts'
import type { CaptureStatus } from './capture-status.ts'
import { CaptureView } from './capture-view.ts'
import { runSession } from './session.ts'

export interface Capture {
  status(): CaptureStatus
  /** Finishes what is being appended and lets go of the slot. */
  stop(): Promise<void>
  /** Resolves when capture has ended: stopped, or the lease was lost. Never rejects. */
  readonly ended: Promise<void>
}

/**
 * Brings every committed change of the tables into the log: once, in commit order, beginning with a copy of each table
 * that fits the stream. Starts at once and goes on until stopped; connections that break and servers that restart are
 * met again. What cannot go on by itself shows in `status`.
 */
export function startCapture(options: CaptureOptions): Capture {
  const resolved = resolveCaptureOptions(options)
  const stopping = new AbortController()
  setMaxListeners(100, stopping.signal)
  const view = new CaptureView(resolved)
  const ended = run(resolved, view, stopping.signal)
  return {
    status: () => view.status(),
    async stop() {
      stopping.abort()
      await ended
    },
    ended,
  }
}

/** A short cause is met again soon, one that somebody has to mend is looked at now and then. */
const retry = { first: 100, max: '5s' }
const lookAgain = { first: '1s', max: '30s' }

async function run(options: ResolvedCaptureOptions, view: CaptureView, signal: AbortSignal): Promise<void> {
  const { logger, name } = options
  let failures = 0
  while (!signal.aborted) {
    try {
      await runSession(options, view, signal)
    } catch (thrown) {
      if (signal.aborted) break
      const error = asPlatformError(thrown, name)
      if (error.code === 'LEASE_LOST') {
        logger.info({ capture: name, error: errorRecord(error) }, 'capture ends: another process has taken over')
        break
      }
      failures = view.streamedSinceFailure ? 1 : failures + 1
      view.failed(error)
      logger.warn({ capture: name, error: errorRecord(error), failures }, 'capture was interrupted')
      await systemClock.sleep(backoffMs(failures, error.retryable ? retry : lookAgain), signal)
    }
  }
  view.enter('stopped')
}

function asPlatformError(error: unknown, name: string): PlatformError {
  if (error instanceof PlatformError) return error
  return new PlatformError('CAPTURE_FAILED', `capture "${name}" was interrupted: ${messageOf(error)}`, { cause: error })
}
