import { type KeyboardEvent, useId, useRef, useState } from 'react'
import { useShortcut } from '../shell/shortcuts.ts'
import { Key } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { KindIcon } from '../ui/kind.tsx'

export interface Suggestion {
  /** A type of the log. */
  type: string
  kind: 'event' | 'change'
}

interface FilterBoxProps {
  value: string
  suggestions: readonly Suggestion[]
  onChange: (value: string) => void
}

/** One line such as `type:order.* key:42 some text`, with the app's own types to choose from (ARIA combobox). */
export function FilterBox({ value, suggestions, onChange }: FilterBoxProps) {
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()
  const [draft, setDraft] = useState<string>()
  const [choice, setChoice] = useState(-1)
  const [open, setOpen] = useState(false)
  const text = draft ?? value
  const options = open ? matching(text, suggestions) : []
  useShortcut('/', () => input.current?.select())

  const commit = (next: string): void => {
    setDraft(undefined)
    setOpen(false)
    setChoice(-1)
    if (next.trim() !== value) onChange(next.trim())
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      setChoice((old) => (options.length === 0 ? -1 : (old + step + options.length) % options.length))
    }
    if (event.key === 'Enter') commit(complete(text, options[choice]))
    if (event.key === 'Escape') {
      setDraft(undefined)
      setOpen(false)
      input.current?.blur()
    }
  }
  return (
    <div className="relative min-w-72 flex-1">
      <Icon name="filter" size={14} className="pointer-events-none absolute top-2 left-2.5 text-ink-3" />
      <input
        ref={input}
        role="combobox"
        aria-label="Filter events"
        aria-expanded={options.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={choice >= 0 ? `${listId}-${choice}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="type:order.*  key:42  or any text"
        value={text}
        onChange={(event) => {
          setDraft(event.target.value)
          setOpen(true)
          setChoice(-1)
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => commit(text)}
        onKeyDown={onKeyDown}
        className="mono h-[1.875rem] w-full rounded-md border border-line-strong bg-surface pr-9 pl-8 text-ink focus:border-accent focus:outline-2 focus:-outline-offset-1 focus:outline-accent"
      />
      <span aria-hidden="true" className="pointer-events-none absolute top-[5px] right-1.5">
        {text === '' && <Key>/</Key>}
      </span>
      {text !== '' && (
        <button
          type="button"
          aria-label="Clear the filter"
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => commit('')}
          className="absolute top-[3px] right-1 inline-flex size-6 items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink"
        >
          <Icon name="close" size={12} />
        </button>
      )}
      <div
        id={listId}
        role="listbox"
        aria-label="Types"
        hidden={options.length === 0}
        className="absolute inset-x-0 top-full z-30 mt-1 overflow-hidden rounded-md border border-line bg-raised py-1 shadow-xl"
      >
        {options.map((option, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the combobox
          <div
            key={option.type}
            id={`${listId}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === choice}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => commit(complete(text, option))}
            className="mono flex min-h-7 cursor-pointer items-center gap-2 px-3 text-ink-2 hover:bg-hover aria-selected:bg-selected aria-selected:text-ink"
          >
            <KindIcon kind={option.kind} size={13} />
            <span className="text-ink-3">type:</span>
            {option.type}
          </div>
        ))}
      </div>
    </div>
  )
}

/** The types that the last word may mean. */
function matching(text: string, suggestions: readonly Suggestion[]): readonly Suggestion[] {
  const word = lastWord(text)
    .replace(/^type:/, '')
    .toLowerCase()
  const rest = text.slice(0, text.length - lastWord(text).length)
  if (/(^|\s)type:/.test(rest) || lastWord(text).startsWith('key:')) return []
  return suggestions.filter(({ type }) => type.includes(word) && type !== word).slice(0, 8)
}

function complete(text: string, option: Suggestion | undefined): string {
  if (option === undefined) return text
  return `${text.slice(0, text.length - lastWord(text).length)}type:${option.type}`
}

function lastWord(text: string): string {
  return /\S*$/.exec(text)?.[0] ?? ''
}
