import type { ReactNode } from 'react'
import type { Check, DeliveryView, ReplayView, Status } from '../contract.ts'

/** Every status word the console knows: those of anything, of a delivery, of a check and of a replay. */
export type StatusWord = Status | DeliveryView['status'] | Check['status'] | ReplayView['state']

interface Look {
  tone: Status
  shape: ReactNode
}

const circle = <circle cx="8" cy="8" r="6.2" />
const diamond = <path d="M8 1.3 14.7 8 8 14.7 1.3 8z" />
const shapes = {
  ok: (
    <>
      {circle}
      <path d="m5.2 8.2 2 2 3.6-4" />
    </>
  ),
  running: (
    <>
      {circle}
      <path d="M6.6 5.4v5.2L10.8 8z" fill="currentColor" />
    </>
  ),
  waiting: (
    <>
      {circle}
      <path d="M8 4.6V8l2.2 1.5" />
    </>
  ),
  retrying: <path d="M13.3 6A5.6 5.6 0 1 0 13.6 9M13.7 2.5V6h-3.5M8 5.2v3.3M8 10.7v.1" />,
  failed: (
    <>
      {diamond}
      <path d="M8 5v3.6M8 10.9v.1" />
    </>
  ),
  paused: (
    <>
      <rect x="2" y="2" width="12" height="12" rx="2.5" />
      <path d="M6.3 5.5v5M9.7 5.5v5" />
    </>
  ),
}

const looks: Record<StatusWord, Look> = {
  ok: { tone: 'ok', shape: shapes.ok },
  done: { tone: 'ok', shape: shapes.ok },
  running: { tone: 'running', shape: shapes.running },
  waiting: { tone: 'waiting', shape: shapes.waiting },
  retrying: { tone: 'retrying', shape: shapes.retrying },
  warning: { tone: 'retrying', shape: shapes.failed },
  failed: { tone: 'failed', shape: shapes.failed },
  error: { tone: 'failed', shape: shapes.failed },
  dead: { tone: 'failed', shape: shapes.failed },
  paused: { tone: 'paused', shape: shapes.paused },
  held: { tone: 'paused', shape: shapes.paused },
  discarded: { tone: 'paused', shape: shapes.failed },
  cancelled: { tone: 'paused', shape: shapes.failed },
  stopped: { tone: 'failed', shape: shapes.paused },
}

/** The colour token of a status. */
export function statusColor(status: StatusWord): string {
  return `var(--${looks[status].tone})`
}

export function StatusIcon({ status, size = 14 }: { status: StatusWord; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      className="shrink-0"
      style={{ color: statusColor(status) }}
    >
      {looks[status].shape}
    </svg>
  )
}

/** One word, one shape, one colour: never colour alone. */
export function StatusLabel({ status, children }: { status: StatusWord; children?: ReactNode }) {
  return (
    <span
      className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap"
      style={{ color: statusColor(status) }}
    >
      <StatusIcon status={status} />
      {children ?? status}
    </span>
  )
}
