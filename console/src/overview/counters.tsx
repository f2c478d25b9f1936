import { Link } from '@tanstack/react-router'
import type { Overview } from '../contract.ts'
import { count } from '../ui/format.ts'
import { StatusIcon, type StatusWord } from '../ui/status.tsx'

/** The numbers of the moment; each leads to the list that it counts. */
export function Counters({ overview: { head, totals } }: { overview: Overview }) {
  return (
    <ul aria-label="Counters" className="flex flex-wrap gap-2">
      <Counter value={head} word="in the log" to="/events" />
      <Counter value={totals.lag} word="behind" status={totals.lag > 100 ? 'waiting' : undefined} />
      <Counter value={totals.retrying} word="retrying" status={totals.retrying > 0 ? 'retrying' : undefined} />
      <Counter value={totals.held} word="held" status={totals.held > 0 ? 'held' : undefined} />
      <Counter value={totals.dead} word="dead" status={totals.dead > 0 ? 'dead' : undefined} />
      <Counter value={totals.members} word={totals.members === 1 ? 'process' : 'processes'} />
    </ul>
  )
}

interface CounterProps {
  value: number
  word: string
  status?: StatusWord | undefined
  to?: '/events' | '/consumers'
}

function Counter({ value, word, status, to = '/consumers' }: CounterProps) {
  return (
    <li>
      <Link
        to={to}
        className="inline-flex min-h-8 items-center gap-2 rounded-full border border-line bg-surface px-3.5 hover:border-line-strong hover:bg-hover"
      >
        {status && <StatusIcon status={status} />}
        <span className="font-semibold">{count(value)}</span>
        <span className="text-ink-2">{word}</span>
      </Link>
    </li>
  )
}
