import type { ReactNode } from 'react'
import { PageTitle } from '../shell/page-title.tsx'

interface PageHeadProps {
  title: string
  /** The state of what is listed, in one sentence. */
  sentence?: ReactNode
  /** At the right: buttons. */
  actions?: ReactNode
}

/** The same first line on every page: what this is, how it stands, what can be done. */
export function PageHead({ title, sentence, actions }: PageHeadProps) {
  return (
    <div className="flex min-h-13 shrink-0 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <PageTitle title={title} className="text-xl font-semibold tracking-tight">
        {title}
      </PageTitle>
      <p className="min-w-0 flex-1 text-base text-ink-2">{sentence}</p>
      {actions && <div className="flex items-center gap-2">{actions}</div>}
    </div>
  )
}
