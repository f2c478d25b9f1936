import { useState } from 'react'
import type { Hop, Journey } from '../contract.ts'
import { duration } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { StatusLabel } from '../ui/status.tsx'
import { closeLookMs, loggedAtMs, waitsSinceMs } from './scale.ts'
import { Axis, Track } from './track.tsx'

const kindWords: Record<Exclude<Hop['kind'], 'commit'>, string> = {
  capture: 'capture',
  sequence: 'log',
  cache: 'cache',
  index: 'index',
  consumer: 'consumer',
}

/** The way of one event through time, to scale: first into the log, then from there to each follower. */
export function Waterfall({ journey }: { journey: Journey }) {
  const { hops } = journey
  const lastMs = Math.max(0.1, ...hops.map((hop) => hop.sinceStartMs))
  const closeMs = closeLookMs(hops)
  // What is still to come is drawn beyond what has happened.
  const settled = hops.every((hop) => hop.status === 'done')
  const [close, setClose] = useState(closeMs !== undefined)
  const endMs = close && closeMs !== undefined ? closeMs : lastMs * (settled ? 1.04 : 1.3)
  const loggedMs = loggedAtMs(hops)

  return (
    <section aria-labelledby="way" className="rounded-lg border border-line bg-surface">
      <div className="flex min-h-10 items-center gap-2 px-4 pt-1">
        <h2 id="way" className="label-caps flex-1">
          The way
        </h2>
        {closeMs !== undefined && (
          <div className="flex gap-1">
            <Zoom on={close} onClick={() => setClose(true)} text={`First ${duration(closeMs)}`} />
            <Zoom on={!close} onClick={() => setClose(false)} text={`All ${duration(lastMs)}`} />
          </div>
        )}
      </div>
      <div className="overflow-x-auto">
        <table className="w-full min-w-160 table-fixed text-left">
          <colgroup>
            <col className="w-64" />
            <col />
            <col className="w-24" />
            <col className="w-24" />
            <col className="w-28" />
          </colgroup>
          <thead>
            <tr className="h-7 text-sm text-ink-3">
              <th scope="col" className="pl-4 font-normal">
                Stop
              </th>
              <th scope="col" className="font-normal">
                <span className="sr-only">When it worked</span>
                <Axis endMs={endMs} />
              </th>
              <th scope="col" className="text-right font-normal">
                after
              </th>
              <th scope="col" className="text-right font-normal">
                worked
              </th>
              <th scope="col" className="pl-6 font-normal">
                status
              </th>
            </tr>
          </thead>
          <tbody>
            {hops.map((hop, i) => (
              <HopRow
                key={`${hop.kind} ${hop.name} ${hop.at}`}
                hop={hop}
                endMs={endMs}
                loggedMs={loggedMs}
                sinceMs={waitsSinceMs(hops, i)}
                type={journey.event.type}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Zoom({ on, onClick, text }: { on: boolean; onClick: () => void; text: string }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      className="min-h-6 rounded px-2 text-sm text-ink-2 hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:text-ink"
    >
      {text}
    </button>
  )
}

interface HopRowProps {
  hop: Hop
  endMs: number
  loggedMs: number
  sinceMs: number
}

function HopRow({ hop, endMs, loggedMs, sinceMs, type }: HopRowProps & { type: string }) {
  return (
    <>
      <tr className="h-12 border-t border-line">
        <th scope="row" className="pr-3 pl-4 font-normal">
          <span className="flex items-center gap-2.5">
            <KindIcon kind={hop.kind} size={18} />
            <span className="flex min-w-0 flex-col">
              <span className="truncate font-medium">{hop.name}</span>
              <span className="truncate text-xs text-ink-3" title={hop.detail}>
                {hop.kind === 'commit' ? type : kindWords[hop.kind]}
                {hop.detail && hop.status === 'done' && ` · ${hop.detail}`}
              </span>
            </span>
          </span>
        </th>
        <td className="relative p-0">
          <Track hop={hop} endMs={endMs} loggedMs={loggedMs} sinceMs={sinceMs} />
        </td>
        <td className="mono text-right text-ink">
          {hop.status === 'done' ? `+${hop.sinceStartMs === 0 ? '0 ms' : duration(hop.sinceStartMs)}` : '–'}
        </td>
        <td className="mono text-right text-ink-2">{hop.tookMs === undefined ? '–' : duration(hop.tookMs)}</td>
        <td className="pl-6">
          <StatusLabel status={hop.status} />
        </td>
      </tr>
      {hop.status !== 'done' && hop.detail && (
        <tr>
          <td colSpan={5} className="pr-4 pb-3 pl-[2.875rem] text-ink-2">
            {hop.detail}
          </td>
        </tr>
      )}
    </>
  )
}
