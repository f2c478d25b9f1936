import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { overviewQuery, topologyQuery } from '../api/queries.ts'
import type { Overview } from '../contract.ts'
import { firstSteps } from '../events/first-steps.ts'
import { PageTitle } from '../shell/page-title.tsx'
import { Command } from '../ui/copy.tsx'
import { Skeleton } from '../ui/states.tsx'
import { StatusIcon } from '../ui/status.tsx'
import { Checks } from './checks.tsx'
import { Counters } from './counters.tsx'
import { Followers } from './followers.tsx'
import { LatestEvents } from './latest-events.tsx'

const RatesChart = lazy(() => import('./rates-chart.tsx').then((m) => ({ default: m.RatesChart })))

/** How the app stands: one sentence, what to mend, what flows. */
export function OverviewPage() {
  const { data: overview } = useQuery(overviewQuery)
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex max-w-[88rem] flex-col gap-5 px-4 pt-5 pb-8 lg:px-6">
        <PageTitle title="Overview" className="label-caps">
          Overview
        </PageTitle>
        {overview ? <Stand overview={overview} /> : <Skeleton rows={5} height={44} />}
      </div>
    </div>
  )
}

function Stand({ overview }: { overview: Overview }) {
  const quiet = overview.head === 0
  return (
    <>
      <div className="-mt-3 flex flex-col gap-4">
        <p className="flex items-start gap-3 text-2xl font-semibold tracking-tight text-balance">
          <span className="flex h-[1.2em] items-center">
            <StatusIcon status={overview.status} size={24} />
          </span>
          {overview.sentence}
        </p>
        <Counters overview={overview} />
      </div>
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_25rem]">
        <div className="flex min-w-0 flex-col gap-5">
          {quiet ? (
            <FirstSteps />
          ) : (
            <Suspense fallback={<div className="h-72 rounded-lg border border-line bg-surface" />}>
              <RatesChart rates={overview.rates} />
            </Suspense>
          )}
          {!quiet && <LatestEvents />}
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <Checks checks={overview.checks} />
          <Followers />
        </div>
      </div>
    </>
  )
}

function FirstSteps() {
  const { data: topology } = useQuery(topologyQuery)
  const commands = firstSteps(topology)
  return (
    <section aria-labelledby="first-steps" className="rounded-lg border border-line bg-surface p-5">
      <h2 id="first-steps" className="text-lg font-semibold">
        Make something happen
      </h2>
      <p className="mt-1 mb-3 text-ink-2">
        The chart and the log fill up as soon as a row changes or an event is published. Try one of these in a terminal:
      </p>
      <div className="flex flex-col gap-2">
        {commands.map((command) => (
          <Command key={command} text={command} />
        ))}
        {commands.length === 0 && <Command text="npx millrace tail" />}
      </div>
    </section>
  )
}
