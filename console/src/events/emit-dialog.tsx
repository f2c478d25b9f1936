import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { act, read } from '../api/call.ts'
import { topologyQuery } from '../api/queries.ts'
import type { TopologyNode } from '../contract.ts'
import { Dialog } from '../shell/dialog.tsx'
import { Button, IconButton, SubmitButton } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { Refused } from '../ui/refused.tsx'
import { toast } from '../ui/toast.tsx'
import { emitCommand } from './first-steps.ts'

/** Publishes an event by hand, starting from its sample or from the last one of its type. */
export function EmitDialog({ onClose }: { onClose: () => void }) {
  const { data: topology } = useQuery(topologyQuery)
  const events = topology?.nodes.filter((node) => node.kind === 'event') ?? []
  const [chosen, setChosen] = useState<string>()
  const event = events.find((node) => node.name === chosen) ?? events[0]
  return (
    <Dialog title="Publish an event" onClose={onClose} className="sm:w-140">
      <div className="flex items-center border-b border-line py-2 pr-2.5 pl-5">
        <h2 className="flex-1 text-lg font-semibold">Publish an event</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </div>
      {event === undefined ? (
        <p className="px-5 py-6 text-ink-2">The app declares no event.</p>
      ) : (
        <EmitForm key={event.name} event={event} events={events} onChoose={setChosen} onDone={onClose} />
      )}
    </Dialog>
  )
}

interface EmitFormProps {
  event: TopologyNode
  events: readonly TopologyNode[]
  onChoose: (name: string) => void
  onDone: () => void
}

function EmitForm({ event, events, onChoose, onDone }: EmitFormProps) {
  const id = useId()
  const { data: sample } = useQuery({ queryKey: ['sample', event.name], queryFn: () => sampleOf(event), staleTime: 0 })
  const [draft, setDraft] = useState<string>()
  const text = draft ?? sample ?? ''
  const data = parse(text)
  const publish = useMutation({
    mutationFn: () => act('emit', { event: event.name, data: data.value }),
    onSuccess: () => {
      toast(`Published ${event.name}`)
      onDone()
    },
  })
  const onSubmit = (submitted: FormEvent): void => {
    submitted.preventDefault()
    if (data.error === undefined) publish.mutate()
  }
  return (
    <form onSubmit={onSubmit} className="flex flex-col gap-3 overflow-y-auto px-5 py-4">
      <label className="flex items-center gap-3">
        <span className="w-12 text-ink-2">Event</span>
        <select
          value={event.name}
          onChange={(change) => onChoose(change.target.value)}
          className="mono h-8 flex-1 rounded-md border border-line-strong bg-surface px-2"
        >
          {events.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label htmlFor={id} className="sr-only">
        Data as JSON
      </label>
      <textarea
        id={id}
        value={text}
        onChange={(change) => setDraft(change.target.value)}
        rows={9}
        spellCheck={false}
        aria-describedby={`${id}-problem`}
        className="mono resize-y rounded-md border border-line-strong bg-surface p-2.5 leading-5"
      />
      <div id={`${id}-problem`} role="status" className="text-failed empty:hidden">
        {text !== '' && data.error}
        {publish.error && <Refused error={publish.error} />}
      </div>
      <div className="flex items-center gap-2">
        <CopyButton
          label="millrace emit"
          what="a millrace command"
          text={() => emitCommand(event.name, compactJson(text))}
        />
        <span className="flex-1" />
        <Button onClick={onDone}>Cancel</Button>
        <SubmitButton disabled={data.error !== undefined || publish.isPending}>Publish</SubmitButton>
      </div>
    </form>
  )
}

async function sampleOf({ name, facts }: TopologyNode): Promise<string> {
  if (facts['example'] !== undefined) return pretty(facts['example'])
  const { events } = await read('events', { type: name, limit: 1 })
  const [last] = events
  if (last === undefined) return '{}'
  return JSON.stringify((await read('event', { position: last.position })).data, null, 2)
}

function parse(text: string): { value?: unknown; error?: string } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { error: `This is no JSON yet: ${error instanceof Error ? error.message : ''}` }
  }
}

function pretty(json: string): string {
  const { value, error } = parse(json)
  return error === undefined ? JSON.stringify(value, null, 2) : json
}

function compactJson(json: string): string {
  const { value, error } = parse(json)
  return error === undefined ? JSON.stringify(value) : json
}
