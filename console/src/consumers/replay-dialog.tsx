import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { read } from '../api/call.ts'
import type { ReplayPlan, ReplayRequest } from '../contract.ts'
import { useAct } from '../failed/use-act.ts'
import { Dialog } from '../shell/dialog.tsx'
import { Button, SubmitButton } from '../ui/button.tsx'
import { plural } from '../ui/format.ts'
import { Refused } from '../ui/refused.tsx'

const fields = [
  { name: 'from', label: 'From', hint: 'position, or time (2026-11-21T08:00:00Z); empty is the beginning' },
  { name: 'until', label: 'Until', hint: 'position or time; empty is the head' },
  { name: 'key', label: 'Key', hint: 'only this key' },
  { name: 'correlation', label: 'Correlation', hint: 'only what one impulse set off' },
  { name: 'rate', label: 'Rate', hint: 'at most so many events a second' },
] as const
type Given = Partial<Record<(typeof fields)[number]['name'], string>>

/** Lets a consumer handle events once more: counted first, then started. */
export function ReplayDialog({ consumer, onClose }: { consumer: string; onClose: () => void }) {
  const [given, setGiven] = useState<Given>({})
  const [plan, setPlan] = useState<ReplayPlan>()
  const request = requestOf(consumer, given)
  const counting = useMutation({ mutationFn: () => read('planReplay', request), onSuccess: setPlan })
  const start = useAct('replay', ({ id }) => `Replay ${id} has begun`)
  const onSubmit = (submitted: FormEvent): void => {
    submitted.preventDefault()
    if (plan === undefined) counting.mutate()
    else start.mutate({ ...request, by: 'console' }, { onSuccess: onClose })
  }
  const error = counting.error ?? start.error
  return (
    <Dialog title="Replay" onClose={onClose} className="sm:w-130">
      <form onSubmit={onSubmit} className="flex flex-col gap-3 overflow-y-auto px-5 py-4">
        <h2 className="text-lg font-semibold">Let {consumer} handle events again</h2>
        {fields.map(({ name, label, hint }) => (
          <label key={name} className="flex items-center gap-3">
            <span className="w-24 text-ink-2">{label}</span>
            <input
              type={name === 'rate' ? 'number' : 'text'}
              value={given[name] ?? ''}
              placeholder={hint}
              onChange={(change) => {
                setGiven({ ...given, [name]: change.target.value })
                setPlan(undefined)
              }}
              className="mono h-8 min-w-0 flex-1 rounded-md border border-line-strong bg-surface px-2"
            />
          </label>
        ))}
        <div role="status" className="text-ink-2">
          {plan && (
            <p>
              {plan.counted ? plural(plan.events, 'event') : `At least ${plural(plan.events, 'event')}`} from{' '}
              {plan.fromPosition} to {plan.untilPosition}. Normal delivery goes on meanwhile; between the two there is
              no order.
            </p>
          )}
          {error && <Refused error={error} />}
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton disabled={counting.isPending || start.isPending || plan?.events === 0}>
            {plan === undefined ? 'Count' : 'Start the replay'}
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  )
}

function requestOf(consumer: string, { from, until, key, correlation, rate }: Given): ReplayRequest {
  return {
    consumer,
    ...placeOf(from, 'fromPosition', 'fromTime'),
    ...placeOf(until, 'untilPosition', 'untilTime'),
    ...(key ? { key } : {}),
    ...(correlation ? { correlation } : {}),
    ...(rate ? { rate: Number(rate) } : {}),
  }
}

/** Digits are a position, anything else a time. */
function placeOf(text: string | undefined, position: string, time: string): Record<string, string | number> {
  if (!text) return {}
  return /^\d+$/.test(text) ? { [position]: Number(text) } : { [time]: text }
}
