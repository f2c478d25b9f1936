import type { Connection } from '../api/live.ts'
import { useConnection } from '../api/use-live.ts'

const words: Record<Connection, string> = {
  off: 'Idle',
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  hidden: 'Resting',
}

/** Whether what is on screen is fresh. */
export function ConnectionState() {
  const state = useConnection()
  return (
    <span
      role="status"
      aria-label={`Live stream: ${words[state]}`}
      className="flex items-center gap-1.5 text-sm text-band-ink-2"
    >
      <svg aria-hidden="true" viewBox="0 0 10 10" width="9" height="9">
        {state === 'live' ? (
          <circle cx="5" cy="5" r="4" fill="oklch(0.84 0.16 155)" />
        ) : (
          <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" strokeWidth="1.8" />
        )}
      </svg>
      {words[state]}
    </span>
  )
}
