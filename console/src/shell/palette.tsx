import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { read } from '../api/call.ts'
import { overviewQuery, topologyQuery } from '../api/queries.ts'
import { Key } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { type Command, commandsFor } from './commands.ts'
import { Dialog } from './dialog.tsx'

/** One box to go anywhere: pages, parts of the app, a position of the log, any text in it. */
export function Palette({ onClose }: { onClose: () => void }) {
  const { data: topology } = useQuery(topologyQuery)
  const { data: overview } = useQuery(overviewQuery)
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [choice, setChoice] = useState(0)
  const listId = useId()
  const list = useRef<HTMLDivElement>(null)
  const id = text.trim()
  const { data: found } = useQuery({
    queryKey: ['eventById', id],
    queryFn: ({ signal }) => read('eventById', { id }, signal),
    enabled: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id),
    retry: false,
  })
  const commands = commandsFor({ text: id, topology, head: overview?.head ?? 0, found })

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the choice
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [choice])

  const run = (command: Command | undefined): void => {
    if (command === undefined) return
    onClose()
    if (command.go) void navigate(command.go)
    command.act?.()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && commands.length > 0) {
      event.preventDefault()
      setChoice((choice + step + commands.length) % commands.length)
    }
    if (event.key === 'Enter') run(commands[choice])
  }
  return (
    <Dialog title="Jump to a page, a part of the app or a position" onClose={onClose} className="sm:w-140">
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Icon name="search" className="text-ink-3" />
        <input
          autoFocus={true}
          role="combobox"
          aria-label="Jump to"
          aria-expanded={true}
          aria-controls={listId}
          aria-activedescendant={commands[choice] && `${listId}-${choice}`}
          autoComplete="off"
          spellCheck={false}
          placeholder="A page, a part of the app, a position, an id, any text…"
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setChoice(0)
          }}
          onKeyDown={onKeyDown}
          className="h-12 min-w-0 flex-1 bg-transparent text-lg outline-none"
        />
        <Key>Esc</Key>
      </div>
      <div ref={list} id={listId} role="listbox" aria-label="Matches" className="overflow-y-auto p-1.5">
        {commands.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the box
          <div
            key={command.name}
            id={`${listId}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === choice}
            onPointerMove={() => setChoice(i)}
            onClick={() => run(command)}
            className="flex min-h-9 cursor-pointer items-center gap-3 rounded-md px-3 text-ink-2 aria-selected:bg-selected aria-selected:text-ink"
          >
            <Icon name={command.icon} size={15} />
            <span className="min-w-0 flex-1 truncate">{command.name}</span>
            <span className="text-sm text-ink-3">{command.hint}</span>
          </div>
        ))}
        {commands.length === 0 && <p className="px-3 py-4 text-ink-3">Nothing matches.</p>}
      </div>
    </Dialog>
  )
}
