import { useCallback, useEffect, useReducer, useRef, useState } from 'react'
import { read } from '../api/call.ts'
import type { EventsFilter } from '../api/live.ts'
import { useFreshLine, useTopic } from '../api/use-live.ts'
import type { EventPage } from '../contract.ts'
import { emptyTail, extend, fill, type Gap, receive, refresh, release, type Tail } from './tail.ts'

const pageSize = 100

/** The last lists that were left, so that Back returns to the same rows at the same place. */
const remembered = new Map<string, { tail: Tail; scrollTop: number }>()
const mostRemembered = 6

export interface LiveTail {
  tail: Tail
  loading: boolean
  error: unknown
  /** Where the list was scrolled to when it was left. */
  initialScrollTop: number
  remember: (scrollTop: number) => void
  release: () => void
  loadOlder: () => void
  loadingOlder: boolean
  fillGap: (gap: Gap) => void
  retry: () => void
}

/**
 * The events that match the filter, paged from the log and kept live by the stream.
 * @param attached whether new events may move the list
 */
export function useTail(filter: EventsFilter, attached: boolean): LiveTail {
  const { type, key, text } = filter
  const name = JSON.stringify([type, key, text])
  const before = remembered.get(name)
  const [initialScrollTop] = useState(before?.scrollTop ?? 0)
  const [tail, change] = useReducer((old: Tail, next: (tail: Tail) => Tail) => next(old), before?.tail ?? emptyTail)
  const { loading, error, load } = useLoader(filter, true)
  const { loading: loadingOlder, load: loadMore } = useLoader(filter, false)

  const latest = (): void => {
    void load({ limit: pageSize }, (page) => change((old) => refresh(old, page, attached)))
  }
  useTopic(
    'events',
    (frame) => {
      change((old) => receive(old, frame, attached))
      // So much was left out that nothing came: look where the log is now.
      if (frame.events.length === 0 && frame.skipped > 0) latest()
    },
    filter,
  )
  useFreshLine(latest)

  useEffect(() => {
    if (attached) change(release)
  }, [attached])

  const current = useRef(tail)
  useEffect(() => {
    current.current = tail
  }, [tail])

  return {
    tail,
    loading: loading && tail.rows.length === 0,
    error,
    initialScrollTop,
    remember: useCallback((scrollTop) => keep(name, { tail: current.current, scrollTop }), [name]),
    release: useCallback(() => change(release), []),
    loadOlder: () => {
      if (tail.next === undefined || loadingOlder) return
      void loadMore({ limit: pageSize, before: tail.next }, (page) => change((old) => extend(old, page)))
    },
    loadingOlder,
    fillGap: (gap) =>
      void loadMore({ limit: 500, before: gap.before }, (page) => change((old) => fill(old, gap, page))),
    retry: latest,
  }
}

interface Loader {
  loading: boolean
  error: unknown
  load: (input: { limit: number; before?: number }, use: (page: EventPage) => void) => Promise<void>
}

function useLoader(filter: EventsFilter, initially: boolean): Loader {
  const [state, setState] = useState<{ loading: boolean; error: unknown }>({ loading: initially, error: undefined })
  const load: Loader['load'] = async (input, use) => {
    setState({ loading: true, error: undefined })
    try {
      use(await read('events', { ...input, ...given(filter) }))
      setState({ loading: false, error: undefined })
    } catch (error) {
      setState({ loading: false, error })
    }
  }
  return { ...state, load }
}

function given({ type, key, text }: EventsFilter): { type?: string; key?: string; text?: string } {
  return { ...(type && { type }), ...(key && { key }), ...(text && { text }) }
}

function keep(name: string, value: { tail: Tail; scrollTop: number }): void {
  remembered.delete(name)
  remembered.set(name, value)
  const [oldest] = remembered.keys()
  if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest)
}
