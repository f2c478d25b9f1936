import { useState } from 'react'
import type { FailureGroup } from '../contract.ts'
import { Button } from '../ui/button.tsx'
import { plural } from '../ui/format.ts'
import { DiscardDialog } from './discard-dialog.tsx'
import { RedriveDialog } from './redrive-dialog.tsx'
import { useAct } from './use-act.ts'

/** What can be done with all of a group. */
export function GroupActions({ group }: { group: FailureGroup }) {
  const [asked, setAsked] = useState<'redrive' | 'discard'>()
  const { dead, replay, retrying, signature } = group
  const selection = { signature, ...(replay === null ? {} : { replay }) }
  const retry = useAct('retryNow', ({ due }) => `${plural(due, 'delivery is', 'deliveries are')} due now`)
  return (
    <div className="flex flex-wrap items-center gap-2 px-10 py-2.5">
      {dead > 0 && <Button onClick={() => setAsked('redrive')}>Redrive all {dead}</Button>}
      {retrying > 0 && (
        <Button disabled={retry.isPending} onClick={() => retry.mutate({ ...selection, by: 'console' })}>
          Try again now
        </Button>
      )}
      {dead > 0 && <Button onClick={() => setAsked('discard')}>Discard all {dead}</Button>}
      {retry.error && <span className="text-failed">{retry.error.message}</span>}
      {asked === 'redrive' && <RedriveDialog selection={selection} onClose={() => setAsked(undefined)} />}
      {asked === 'discard' && (
        <DiscardDialog selection={selection} what={plural(dead, 'dead letter')} onClose={() => setAsked(undefined)} />
      )}
    </div>
  )
}
