import { useQuery } from '@tanstack/react-query'
import type { FormEvent } from 'react'
import { act } from '../api/call.ts'
import type { FailedSelection } from '../contract.ts'
import { Dialog } from '../shell/dialog.tsx'
import { Button, SubmitButton } from '../ui/button.tsx'
import { plural } from '../ui/format.ts'
import { Refused } from '../ui/refused.tsx'
import { StatusLabel } from '../ui/status.tsx'
import { useAct } from './use-act.ts'

/** Says what a redrive would do before it is done. */
export function RedriveDialog({ selection, onClose }: { selection: FailedSelection; onClose: () => void }) {
  const { data: plan, error } = useQuery({
    queryKey: ['redrive-plan', selection],
    queryFn: () => act('redrive', { ...selection, dryRun: true }),
    staleTime: 0,
  })
  const redrive = useAct('redrive', ({ redriven }) => `${plural(redriven, 'delivery', 'deliveries')} redriven`)
  const onSubmit = (submitted: FormEvent): void => {
    submitted.preventDefault()
    redrive.mutate({ ...selection, by: 'console' }, { onSuccess: onClose })
  }
  return (
    <Dialog title="Redrive" onClose={onClose} className="sm:w-120">
      <form onSubmit={onSubmit} className="flex flex-col gap-3 px-5 py-4">
        <h2 className="text-lg font-semibold">Redrive</h2>
        <div role="status" className="flex flex-col gap-1.5 text-ink-2">
          {plan === undefined && !error && <p>Counting …</p>}
          {plan && (
            <p>
              {plural(plan.redriven, 'dead letter')} of {plural(plan.keys, 'key')} will be handled again, with a fresh
              count of tries: per key in the order of the log, before newer ones that are held.
            </p>
          )}
          {plan && plan.afterNewer > 0 && (
            <p className="flex items-start gap-2">
              <StatusLabel status="warning">out of order</StatusLabel>
              <span>
                {plan.afterNewer} come after newer events of their key that were handled already. That order cannot be
                mended.
              </span>
            </p>
          )}
          {plan && plan.unchecked > 0 && (
            <p>Of {plan.unchecked} it was not found out: too much of the log lies in between.</p>
          )}
          {(error ?? redrive.error) && <Refused error={(error ?? redrive.error) as Error} />}
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton disabled={plan === undefined || plan.redriven === 0 || redrive.isPending}>Redrive</SubmitButton>
        </div>
      </form>
    </Dialog>
  )
}
