import type { ReactNode } from 'react'

/** Our own small set, drawn on 16 × 16 with one stroke. */
const drawings = {
  overview: <path d="M2.5 11.5a5.5 5.5 0 1 1 11 0M8 11.5l2.8-3.6M2.5 13.5h11" />,
  map: (
    <path d="M5.2 4.5h2.3a2 2 0 0 1 2 2v3a2 2 0 0 0 2 2M5.2 4.5h5.6M1.8 3h3.4v3H1.8zM10.8 3h3.4v3h-3.4zM10.8 10h3.4v3h-3.4z" />
  ),
  events: <path d="M2 3.5h7M2 8h12M2 12.5h9M12.2 3.5h1.8" />,
  consumers: <path d="M2 3h12l-4.6 5.4v4.2l-2.8 1.4V8.4z" />,
  failed: <path d="M8 1.8 14.2 8 8 14.2 1.8 8zM8 5v3.6M8 10.9v.1" />,
  journey: <path d="M2 3.5h4.5M5 8h5.5M9 12.5h5M4.2 3.5V8M9.8 8v4.5" />,
  table: <path d="M2 3h12v10H2zM2 6.3h12M2 9.7h12M6.5 6.3V13" />,
  event: <path d="M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z" />,
  consumer: <path d="M2 8h6M5.5 5 8.5 8l-3 3M8.5 2.5H13v11H8.5" />,
  cache: (
    <path d="M8 2c3.3 0 6 .9 6 2.2S11.3 6.4 8 6.4 2 5.5 2 4.2 4.7 2 8 2zM2 4.2v7.6C2 13.1 4.7 14 8 14s6-.9 6-2.2V4.2M2 8c0 1.3 2.7 2.2 6 2.2S14 9.3 14 8" />
  ),
  index: <path d="M2 3.5h6M2 7h3.5M2 10.5h3M9.8 12.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM12.2 11.6 14.3 13.7" />,
  route: (
    <path d="M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c1.7 1.7 2.5 3.7 2.5 6S9.7 12.3 8 14M8 2C6.3 3.7 5.5 5.7 5.5 8s.8 4.3 2.5 6" />
  ),
  commit: <path d="M1.5 8H5M11 8h3.5M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z" />,
  capture: <path d="M2 5V2.5h3M11 2.5h3V5M14 11v2.5h-3M5 13.5H2V11M5 8h6M8.5 5.5 11 8l-2.5 2.5" />,
  sequence: (
    <path d="M6 3.5h8M6 8h8M6 12.5h8M2 2.5h.8v2.3M2 7.5c.3-.7 1.5-.6 1.5.1 0 .6-1.5 1-1.5 1.7h1.6M2 11.2c.5-.4 1.5-.2 1.5.4 0 .5-.5.6-.8.6.4 0 .9.2.9.7 0 .7-1.1.9-1.6.4" />
  ),
  search: <path d="M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 14 14" />,
  copy: <path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />,
  check: <path d="m3 8.5 3.3 3.3L13 4.8" />,
  close: <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" />,
  pause: <path d="M5.5 3v10M10.5 3v10" />,
  play: <path d="M4.5 2.8v10.4L13 8z" />,
  sun: (
    <path d="M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.2v1.5M8 13.3v1.5M1.2 8h1.5M13.3 8h1.5M3.2 3.2l1 1M11.8 11.8l1 1M12.8 3.2l-1 1M4.2 11.8l-1 1" />
  ),
  moon: <path d="M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z" />,
  auto: <path d="M2 3h12v8H2zM5.5 13.5h5M8 11v2.5" />,
  help: <path d="M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.2 6.4c.2-2.3 3.7-2.1 3.6-.1-.1 1.4-1.7 1.4-1.8 2.7M8 11.4v.2" />,
  right: <path d="m6 3.5 4.5 4.5L6 12.5" />,
  down: <path d="m3.5 6 4.5 4.5L12.5 6" />,
  up: <path d="M8 13V3M3.8 7.2 8 3l4.2 4.2" />,
  arrow: <path d="M2.5 8h11M9.3 3.8 13.5 8l-4.2 4.2" />,
  expand: <path d="M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9" />,
  filter: <path d="M2 4h12M4.5 8h7M6.5 12h3" />,
  terminal: <path d="M2 3h12v10H2zM4.5 6 7 8l-2.5 2M8.5 10.2h3" />,
  list: <path d="M2.5 4h11M2.5 8h11M2.5 12h11" />,
  back: <path d="M13.5 8h-11M6.7 3.8 2.5 8l4.2 4.2" />,
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof drawings

/** Decoration: the words beside it carry the meaning. */
export function Icon({ name, size = 16, className = '' }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`shrink-0 ${className}`}
    >
      {drawings[name]}
    </svg>
  )
}
