import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { replaysQuery } from '../api/queries.ts'
import type { ReplayView } from '../contract.ts'
import { useAct } from '../failed/use-act.ts'
import { Button } from '../ui/button.tsx'
import { count, duration, plural, rate } from '../ui/format.ts'
import { StatusLabel } from '../ui/status.tsx'
import { ReplayDialog } from './replay-dialog.tsx'

/** The replays of a consumer: those at work with their progress, and the last ones that ended. */
export function Replays({ consumer }: { consumer: string }) {
  const { data: replays = [] } = useQuery(replaysQuery(consumer))
  const [asked, setAsked] = useState(false)
  return (
    <section className="border-b border-line px-4 py-3">
      <div className="mb-1.5 flex items-center">
        <h2 className="label-caps flex-1">Replays</h2>
        <Button onClick={() => setAsked(true)}>Replay …</Button>
      </div>
      {replays.length === 0 && <p className="text-sm text-ink-3">None so far.</p>}
      <ul className="flex flex-col gap-2.5">
        {replays.slice(0, 10).map((replay) => (
          <Replay key={replay.id} replay={replay} />
        ))}
      </ul>
      {asked && <ReplayDialog consumer={consumer} onClose={() => setAsked(false)} />}
    </section>
  )
}

function Replay({ replay }: { replay: ReplayView }) {
  const { dead, etaMs, fromPosition, handled, id, progress, speed, state, untilPosition } = replay
  const pause = useAct('pauseReplay', () => `Replay ${id} is paused`)
  const resume = useAct('resumeReplay', () => `Replay ${id} goes on`)
  const cancel = useAct('cancelReplay', () => `Replay ${id} is cancelled`)
  const error = pause.error ?? resume.error ?? cancel.error
  const over = state === 'done' || state === 'cancelled'
  const given = { id, by: 'console' }
  return (
    <li>
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="mono text-ink-3">{id}</span>
        <StatusLabel status={state} />
        <span className="text-ink-2">
          {fromPosition} to {untilPosition}, {plural(handled, 'event')} handled
          {dead > 0 && `, ${count(dead)} dead`}
        </span>
        <span className="flex-1" />
        {state === 'running' && <Button onClick={() => pause.mutate(given)}>Pause</Button>}
        {(state === 'paused' || state === 'stopped') && <Button onClick={() => resume.mutate(given)}>Resume</Button>}
        {!over && <Button onClick={() => cancel.mutate(given)}>Cancel</Button>}
      </div>
      {error && <p className="text-failed">{error.message}</p>}
      {!over && (
        <div className="mt-1.5 flex items-center gap-2.5 text-sm text-ink-3">
          <progress value={progress} max={1} aria-label={`Replay ${id}`} className="h-1.5 flex-1 accent-(--accent)" />
          {Math.floor(progress * 100)} % · {rate(speed)} a second{etaMs !== undefined && ` · ${duration(etaMs)} to go`}
        </div>
      )}
    </li>
  )
}
