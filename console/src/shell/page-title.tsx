import { useQuery } from '@tanstack/react-query'
import { useRouterState } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { overviewQuery } from '../api/queries.ts'

interface PageTitleProps {
  /** For the tab: "Events". */
  title: string
  children: ReactNode
  className?: string
}

/** The one h1 of a page. It names the tab and takes the focus when the reader arrives from another page. */
export function PageTitle({ title, children, className = '' }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { data: overview } = useQuery(overviewQuery)
  const tab = overview ? `[${short(overview.environment)}] ${overview.app} · ${title}` : title
  useEffect(() => {
    document.title = tab
  }, [tab])

  // Only on the way from page to page: a fresh load starts at the top of the document, where the skip link is.
  const arrived = useRouterState({ select: (state) => state.resolvedLocation !== undefined })
  const moved = useRef(arrived)
  useEffect(() => {
    if (moved.current) heading.current?.focus({ preventScroll: true })
  }, [])

  return (
    <h1 ref={heading} tabIndex={-1} className={className}>
      {children}
    </h1>
  )
}

/** The word for the band, the tab and the title. */
export function short(environment: 'development' | 'production'): string {
  return environment === 'development' ? 'dev' : 'prod'
}
