import { type FormEvent, useId, useState } from 'react'
import type { FailedSelection } from '../contract.ts'
import { Dialog } from '../shell/dialog.tsx'
import { Button, SubmitButton } from '../ui/button.tsx'
import { Refused } from '../ui/refused.tsx'
import { useAct } from './use-act.ts'

interface DiscardDialogProps {
  selection: FailedSelection
  /** Such as "3 dead letters". */
  what: string
  onClose: () => void
}

/** Gives up for good, with a reason for those who come after. */
export function DiscardDialog({ selection, what, onClose }: DiscardDialogProps) {
  const id = useId()
  const [reason, setReason] = useState('')
  const discard = useAct('discard', ({ discarded }) => `${discarded} discarded`)
  const onSubmit = (submitted: FormEvent): void => {
    submitted.preventDefault()
    discard.mutate({ ...selection, reason, by: 'console' }, { onSuccess: onClose })
  }
  return (
    <Dialog title="Discard" onClose={onClose} className="sm:w-120">
      <form onSubmit={onSubmit} className="flex flex-col gap-3 px-5 py-4">
        <h2 className="text-lg font-semibold">Discard {what}</h2>
        <p className="text-ink-2">
          The consumer never gets them. This cannot be undone; the events stay in the log, and what was thrown away
          stays in the audit.
        </p>
        <label htmlFor={id} className="text-ink-2">
          Reason
        </label>
        <input
          id={id}
          value={reason}
          onChange={(change) => setReason(change.target.value)}
          className="h-8 rounded-md border border-line-strong bg-surface px-2"
        />
        <div role="status">{discard.error && <Refused error={discard.error} />}</div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton disabled={reason.trim() === '' || discard.isPending}>Discard</SubmitButton>
        </div>
      </form>
    </Dialog>
  )
}
