import { ago, clock, moment } from './format.ts'
import { useNow } from './now.ts'

/** Relative, with the whole moment on hover. */
export function Time({ at, className }: { at: string; className?: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={moment(at)} className={className}>
      {ago(at, Math.max(now, Date.parse(at)))}
    </time>
  )
}

/** Still to come: "in 12 s". */
export function TimeUntil({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at, now)}
    </time>
  )
}

/** To the millisecond: where order within a second matters. */
export function Clock({ at, className }: { at: string; className?: string }) {
  return (
    <time dateTime={at} title={moment(at)} className={className}>
      {clock(at)}
    </time>
  )
}
