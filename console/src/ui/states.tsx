import type { ReactNode } from 'react'
import { ApiProblem } from '../api/call.ts'
import { Button } from './button.tsx'
import { Command } from './copy.tsx'
import { StatusIcon } from './status.tsx'

/** What would stand here, and the exact command that makes it happen. */
export function Empty({
  title,
  children,
  commands = [],
}: {
  title: string
  children?: ReactNode
  commands?: string[]
}) {
  return (
    <div className="mx-auto flex max-w-xl flex-col gap-3 px-6 py-14">
      <p className="text-lg text-ink">{title}</p>
      {children && <div className="text-base text-ink-2">{children}</div>}
      {commands.map((command) => (
        <Command key={command} text={command} />
      ))}
    </div>
  )
}

/** What went wrong, why, and what to do next. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined
  return (
    <div role="alert" className="mx-auto flex max-w-xl flex-col gap-2 px-6 py-14">
      <p className="flex items-center gap-2 text-lg">
        <StatusIcon status="failed" size={18} />
        {error instanceof Error ? error.message : 'Something went wrong.'}
      </p>
      {problem?.hint && <p className="text-base text-ink-2">{problem.hint}</p>}
      {problem && <p className="mono text-ink-3">{problem.code}</p>}
      {retry && (
        <div className="pt-2">
          <Button onClick={retry}>Try again</Button>
        </div>
      )}
    </div>
  )
}

/** Bars in the place of what is coming. */
export function Skeleton({ rows = 6, height = 28 }: { rows?: number; height?: number }) {
  return (
    <div aria-hidden="true" className="flex flex-col gap-1.5 p-4">
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars are all alike
        <div key={i} className="skeleton" style={{ height, width: `${100 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  )
}
