import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react'
import type { StreamTopics } from '../contract.ts'
import { type Connection, type EventsFilter, live, type Topic } from './live.ts'
import { consumersQuery, overviewQuery, queryClient } from './queries.ts'

export function useConnection(): Connection {
  return useSyncExternalStore(live.watch, live.state)
}

/** Calls `onFresh` at the start and each time a line was opened: frames may have passed unseen before. */
export function useFreshLine(onFresh: () => void): void {
  const opened = useSyncExternalStore(live.watch, live.opened)
  const fresh = useEffectEvent(onFresh)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the number is the signal
  useEffect(() => fresh(), [opened])
}

/** Calls `listener` for every frame of the topic while the component stands. */
export function useTopic<T extends Topic>(
  topic: T,
  listener: (data: StreamTopics[T]) => void,
  filter?: EventsFilter,
): void {
  const onData = useEffectEvent(listener)
  const { type, key, text } = filter ?? {}
  useEffect(() => live.subscribe(topic, (data) => onData(data), { type, key, text }), [topic, type, key, text])
}

/** After a pause of the line the app may be another one: what was read from it is read anew. */
export function useRefreshOnReturn(): void {
  const connection = useConnection()
  const before = useRef(connection)
  useEffect(() => {
    const wasDown = before.current === 'reconnecting' || before.current === 'hidden'
    if (wasDown && connection === 'live') void queryClient.invalidateQueries()
    if (connection !== 'connecting') before.current = connection
  }, [connection])
  useEffect(() => {
    live.onRefused = () => void queryClient.invalidateQueries({ queryKey: overviewQuery.queryKey })
  }, [])
}

/** Keeps the overview that React Query holds as fresh as the stream. */
export function useLiveOverview(): void {
  useTopic('overview', (data) => queryClient.setQueryData(overviewQuery.queryKey, data))
}

export function useLiveConsumers(): void {
  useTopic('consumers', (data) => queryClient.setQueryData(consumersQuery.queryKey, data))
}
