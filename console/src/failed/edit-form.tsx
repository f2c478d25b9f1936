import { type FormEvent, useId, useState } from 'react'
import type { DeliveryAddress, FailedDeliveryDetail } from '../contract.ts'
import { Button, SubmitButton } from '../ui/button.tsx'
import { Refused } from '../ui/refused.tsx'
import { useAct } from './use-act.ts'

interface EditFormProps {
  address: DeliveryAddress
  delivery: FailedDeliveryDetail
  onDone: () => void
}

/** Other data for the handler of one delivery, checked against the event's schema by the server. */
export function EditForm({ address, delivery, onDone }: EditFormProps) {
  const id = useId()
  const { data, edit, newest, state } = delivery
  const [text, setText] = useState(() => JSON.stringify(edit?.data ?? newest ?? data, null, 2))
  const [reason, setReason] = useState('')
  const save = useAct('edit', () => (state === 'dead' ? 'Edited and redriven' : 'Edited; the next try gets it'))
  const parsed = parse(text)
  const onSubmit = (submitted: FormEvent): void => {
    submitted.preventDefault()
    if (parsed.problem !== undefined) return
    const given = { ...address, data: parsed.value, redrive: state === 'dead', by: 'console' }
    save.mutate(reason.trim() === '' ? given : { ...given, reason }, { onSuccess: onDone })
  }
  return (
    <form onSubmit={onSubmit} className="mt-3 flex flex-col gap-2">
      <label htmlFor={id} className="text-ink-2">
        Data for the handler, as JSON
      </label>
      <textarea
        id={id}
        value={text}
        onChange={(change) => setText(change.target.value)}
        rows={8}
        spellCheck={false}
        aria-describedby={`${id}-problem`}
        className="mono resize-y rounded-md border border-line-strong bg-surface p-2.5 leading-5"
      />
      <label className="flex items-center gap-3 text-ink-2">
        Reason
        <input
          value={reason}
          onChange={(change) => setReason(change.target.value)}
          className="h-8 flex-1 rounded-md border border-line-strong bg-surface px-2 text-ink"
        />
      </label>
      <div id={`${id}-problem`} role="status" className="text-failed empty:hidden">
        {parsed.problem}
        {save.error && <Refused error={save.error} />}
      </div>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <SubmitButton disabled={parsed.problem !== undefined || save.isPending}>
          {state === 'dead' ? 'Save and redrive' : 'Save'}
        </SubmitButton>
      </div>
    </form>
  )
}

function parse(text: string): { value?: unknown; problem?: string } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { problem: `This is no JSON yet: ${error instanceof Error ? error.message : ''}` }
  }
}
