import type { Hop } from '../contract.ts'
import { kindColor } from '../ui/kind.tsx'
import { statusColor } from '../ui/status.tsx'
import { isFollower, spanOf, tickLabel, ticks } from './scale.ts'

/** The marks over the tracks. */
export function Axis({ endMs }: { endMs: number }) {
  return (
    <span aria-hidden="true" className="relative block h-5">
      {ticks(endMs)
        .filter((ms) => ms < endMs * 0.97)
        .map((ms) => (
          <span key={ms} className="absolute text-xs whitespace-nowrap" style={{ left: percent(ms, endMs) }}>
            <span className={ms === 0 ? '' : '-ml-[50%]'}>{tickLabel(ms)}</span>
          </span>
        ))}
    </span>
  )
}

interface TrackProps {
  hop: Hop
  /** Where the track ends, since the start of the journey. */
  endMs: number
  /** When the log had the event. */
  loggedMs: number
  /** Since when the stop could have begun. */
  sinceMs: number
}

/** One stop to scale: the dashed line is waiting, the bar is work; a stop of unknown length is a dot at its end. */
export function Track({ hop, endMs, loggedMs, sinceMs }: TrackProps) {
  const color = hop.status === 'done' ? kindColor(hop.kind) : statusColor(hop.status)
  const follows = isFollower(hop)
  const span = spanOf(hop)
  const startMs = hop.status === 'done' ? span.startMs : endMs
  return (
    <span aria-hidden="true" className="absolute inset-0 block overflow-hidden">
      {ticks(endMs).map((ms) => (
        <span key={ms} className="absolute inset-y-0 border-l border-line" style={{ left: percent(ms, endMs) }} />
      ))}
      {follows && (
        <span
          className="absolute inset-y-0 w-0.5 -translate-x-1/2"
          style={{
            left: percent(loggedMs, endMs),
            background: 'color-mix(in oklab, var(--kind-event) 45%, transparent)',
          }}
        />
      )}
      <Waiting fromMs={sinceMs} toMs={startMs} endMs={endMs} color={color} />
      {hop.status === 'done' && <Work hop={hop} startMs={span.startMs} endMs={endMs} color={color} />}
      {hop.status === 'done' && startMs >= endMs && (
        <span className="absolute top-1/2 right-2 -translate-y-1/2 bg-surface px-1 text-sm text-ink-2">later →</span>
      )}
    </span>
  )
}

function Waiting({ fromMs, toMs, endMs, color }: { fromMs: number; toMs: number; endMs: number; color: string }) {
  return (
    <span
      className="absolute top-1/2 border-t border-dashed"
      style={{
        left: percent(fromMs, endMs),
        width: percent(Math.max(0, toMs - fromMs), endMs),
        borderColor: `color-mix(in oklab, ${color} 60%, transparent)`,
      }}
    />
  )
}

function Work({ hop, startMs, endMs, color }: { hop: Hop; startMs: number; endMs: number; color: string }) {
  if (hop.tookMs === undefined) {
    return (
      <span
        data-work="moment"
        className={`absolute top-1/2 size-3 -translate-y-1/2 rounded-full ${hop.sinceStartMs > 0 ? '-translate-x-1/2' : ''}`}
        style={{ left: percent(hop.sinceStartMs, endMs), background: color }}
      />
    )
  }
  return (
    <span
      data-work="span"
      className="absolute top-1/2 h-4 min-w-1 -translate-y-1/2 rounded-[3px]"
      style={{ left: percent(startMs, endMs), width: percent(hop.sinceStartMs - startMs, endMs), background: color }}
    />
  )
}

function percent(ms: number, endMs: number): string {
  return `${Math.min(120, (100 * ms) / endMs)}%`
}
