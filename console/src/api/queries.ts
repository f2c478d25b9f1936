import { QueryClient, queryOptions } from '@tanstack/react-query'
import type { Operations } from '../contract.ts'
import { ApiProblem, read } from './call.ts'

/** The cache of everything that was read; the live stream writes into it. */
export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiProblem && error.status >= 400),
    },
  },
})

// The stream keeps these two fresh, so they never go stale by themselves.
export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => read('overview', {}, signal),
  staleTime: Number.POSITIVE_INFINITY,
  // An app that is starting answers by itself in a moment.
  refetchInterval: ({ state }) => (state.status === 'error' ? 3_000 : false),
})

export const consumersQuery = queryOptions({
  queryKey: ['consumers'],
  queryFn: ({ signal }) => read('consumers', {}, signal),
  staleTime: Number.POSITIVE_INFINITY,
})

/** Changes only when the app is reloaded. */
export const topologyQuery = queryOptions({
  queryKey: ['topology'],
  queryFn: ({ signal }) => read('topology', {}, signal),
  staleTime: 60_000,
})

export const failuresQuery = queryOptions({
  queryKey: ['failures'],
  queryFn: ({ signal }) => read('failures', {}, signal),
  refetchInterval: 2_000,
})

export const groupQuery = (signature: string, replay: string | null) =>
  queryOptions({
    queryKey: ['dead-letters', signature, replay],
    queryFn: ({ signal }) =>
      read('deadLetters', { signature, limit: 200, ...(replay === null ? {} : { replay }) }, signal),
    refetchInterval: 3_000,
  })

export const deadLetterQuery = (address: Operations['deadLetter']['input']) =>
  queryOptions({
    queryKey: ['dead-letter', address],
    queryFn: ({ signal }) => read('deadLetter', address, signal),
    refetchInterval: ({ state }) => (state.status === 'error' ? false : 3_000),
    retry: false,
  })

export const replaysQuery = (consumer: string) =>
  queryOptions({
    queryKey: ['replays', consumer],
    queryFn: ({ signal }) => read('replays', { consumer }, signal),
    refetchInterval: 1_000,
  })

export const eventQuery = (position: number) =>
  queryOptions({
    queryKey: ['event', position],
    queryFn: ({ signal }) => read('event', { position }, signal),
    // Until every follower has passed, its deliveries still move.
    refetchInterval: ({ state }) =>
      state.data?.deliveries.every((d) => settled(d.status)) === false ? pollMs(state.data.at) : false,
  })

export const journeyQuery = (position: number) =>
  queryOptions({
    queryKey: ['journey', position],
    queryFn: ({ signal }) => read('journey', { position }, signal),
    refetchInterval: ({ state }) => (state.data?.complete === false ? pollMs(state.data.event.at) : false),
  })

/** What just happened is over in a moment; what waits for longer, waits for a retry or a person. */
function pollMs(at: string): number {
  return Date.now() - Date.parse(at) < 10_000 ? 400 : 3_000
}

function settled(status: string): boolean {
  return status === 'done' || status === 'dead'
}
