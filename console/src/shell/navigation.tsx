import { Link } from '@tanstack/react-router'
import type { Overview } from '../contract.ts'
import { Key } from '../ui/button.tsx'
import { coarse, compact } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { useNow } from '../ui/now.ts'
import { type StatusWord, statusColor } from '../ui/status.tsx'
import { places } from './places.ts'

interface Badge {
  text: string
  /** What the number counts, for the ear. */
  means: string
  status?: StatusWord
}

/** The pages with what awaits on each. Narrow windows keep the icons with their words below. */
export function Navigation({ overview }: { overview: Overview | undefined }) {
  return (
    <div className="flex w-17 shrink-0 flex-col border-r border-line bg-sunken lg:w-50">
      <nav aria-label="Pages" className="flex flex-col gap-0.5 p-1 lg:p-2">
        {places.map(({ to, title, icon, letter }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === '/', includeSearch: false }}
            title={`${title} (g ${letter})`}
            className="group flex min-h-8 flex-col items-center gap-0.5 rounded-md px-0.5 py-1.5 text-ink-2 hover:bg-hover hover:text-ink lg:flex-row lg:gap-2.5 lg:px-2 lg:py-1"
            activeProps={{ className: 'bg-selected font-medium text-ink! hover:bg-selected', 'aria-current': 'page' }}
          >
            <Icon name={icon} />
            <span className="text-xs lg:flex-1 lg:text-base">{title}</span>
            <NavBadge badge={overview && badgeOf(to, overview)} />
          </Link>
        ))}
      </nav>
      <div className="flex-1" />
      {overview && <Footer overview={overview} />}
    </div>
  )
}

function NavBadge({ badge }: { badge: Badge | undefined }) {
  if (badge === undefined) return null
  return (
    <span className="text-xs text-ink-3" style={badge.status && { color: statusColor(badge.status), fontWeight: 600 }}>
      {badge.text}
      <span className="sr-only"> {badge.means}</span>
    </span>
  )
}

function badgeOf(to: string, { checks, head, totals }: Overview): Badge | undefined {
  if (to === '/') {
    const troubled = checks.filter((check) => check.status !== 'ok')
    if (troubled.length === 0) return undefined
    const status = troubled.some((check) => check.status === 'error') ? 'error' : 'warning'
    return { text: compact(troubled.length), means: 'checks need attention', status }
  }
  if (to === '/events') return { text: compact(head), means: 'events in the log' }
  if (to !== '/failed') return undefined
  const { dead, held, retrying } = totals
  if (dead + held + retrying === 0) return undefined
  return {
    text: compact(dead + held + retrying),
    means: 'deliveries need attention',
    status: dead > 0 ? 'dead' : 'retrying',
  }
}

function Footer({ overview }: { overview: Overview }) {
  const now = useNow()
  const { versions, startedAt } = overview
  const up = coarse(Math.max(0, now - Date.parse(startedAt)) / 1_000)
  return (
    <footer className="hidden flex-col gap-0.5 border-t border-line px-4 py-3 text-xs text-ink-3 lg:flex">
      <span>Up {up}</span>
      <span>Millrace {versions.millrace}</span>
      <span>Postgres {versions.postgres}</span>
      <span>Node {versions.node.replace(/^v/, '')}</span>
      <span className="flex items-center gap-1.5 pt-1.5">
        <Key>?</Key> shortcuts
      </span>
    </footer>
  )
}
