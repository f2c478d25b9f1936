import type { Check } from '../contract.ts'
import { Command } from '../ui/copy.tsx'
import { StatusIcon } from '../ui/status.tsx'

const urgency: Record<Check['status'], number> = { error: 0, warning: 1, ok: 2 }

/** What was looked at, the worst first; each problem carries the command that mends it. */
export function Checks({ checks }: { checks: readonly Check[] }) {
  const sorted = [...checks].sort((a, b) => urgency[a.status] - urgency[b.status])
  return (
    <section aria-labelledby="checks" className="rounded-lg border border-line bg-surface">
      <h2 id="checks" className="label-caps border-b border-line px-4 py-2.5">
        Checks
      </h2>
      <ul>
        {sorted.map((check) => (
          <li key={check.name} className="flex gap-2.5 border-b border-line px-4 py-2.5 last:border-0">
            <span className="flex h-5 items-center">
              <StatusIcon status={check.status} size={15} />
            </span>
            <div className="flex min-w-0 flex-1 flex-col gap-1.5">
              <p className="text-ink-2">
                <span className="font-medium text-ink">{check.name}</span>
                {check.status !== 'ok' && <span className="sr-only"> ({check.status})</span>} · {check.message}
              </p>
              {check.mend && <Command text={check.mend} />}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}
