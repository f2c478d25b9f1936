import { useState } from 'react'
import { CopyButton } from './copy.tsx'
import { Icon } from './icon.tsx'

const shownChildren = 100

interface JsonViewProps {
  value: unknown
  /** What it is, for its buttons: "payload". */
  what: string
  title: string
  /** How many levels stand open at first. @default 2 */
  levels?: number
}

/** A value as a tree to fold, or raw as it would be sent. */
export function JsonView({ value, what, title, levels = 2 }: JsonViewProps) {
  const [raw, setRaw] = useState(false)
  const text = JSON.stringify(value, null, 2) ?? 'undefined'
  return (
    <section className="border-b border-line px-4 py-3">
      <div className="mb-1.5 flex min-h-7 items-center gap-1">
        <h2 className="label-caps flex-1">{title}</h2>
        <button
          type="button"
          aria-pressed={raw}
          onClick={() => setRaw(!raw)}
          className="min-h-6 rounded px-1.5 text-sm text-ink-3 hover:bg-hover hover:text-ink aria-pressed:bg-accent-soft aria-pressed:text-ink"
        >
          raw
        </button>
        <CopyButton text={text} what={what} />
      </div>
      {raw ? (
        <pre className="mono overflow-x-auto leading-5 break-words whitespace-pre-wrap">{text}</pre>
      ) : (
        <div className="mono leading-5">
          <Node value={value} level={0} levels={levels} />
        </div>
      )}
    </section>
  )
}

interface NodeProps {
  name?: string
  value: unknown
  level: number
  levels: number
}

function Node({ name, value, level, levels }: NodeProps) {
  if (typeof value !== 'object' || value === null || isEmpty(value)) {
    return (
      <div className="flex min-h-6 items-start gap-1.5 py-0.5">
        {name !== undefined && <Name text={name} />}
        <Leaf value={value} />
      </div>
    )
  }
  return <Branch {...(name !== undefined && { name })} value={value} level={level} levels={levels} />
}

function Branch({ name, value, level, levels }: NodeProps & { value: object }) {
  const [open, setOpen] = useState(level < levels)
  const [limit, setLimit] = useState(shownChildren)
  const entries = Object.entries(value)
  const children = (
    <>
      {entries.slice(0, limit).map(([key, child]) => (
        <Node key={key} name={key} value={child} level={level + 1} levels={levels} />
      ))}
      {entries.length > limit && (
        <button type="button" className="min-h-6 text-accent" onClick={() => setLimit(limit + 1_000)}>
          {entries.length - limit} more
        </button>
      )}
    </>
  )
  if (level === 0) return <div>{children}</div>
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-6 items-center gap-1.5 rounded text-left hover:bg-hover"
      >
        {name !== undefined && <Name text={name} />}
        <Icon name={open ? 'down' : 'right'} size={11} className="text-ink-3" />
        <span className="truncate text-ink-3">{open ? '' : summary(value)}</span>
      </button>
      {open && <div className="ml-0.5 border-l border-line pl-3.5">{children}</div>}
    </div>
  )
}

function Name({ text }: { text: string }) {
  return <span className="shrink-0 text-ink-3">{text}</span>
}

function Leaf({ value }: { value: unknown }) {
  const color = typeof value === 'string' ? 'text-ink' : 'text-accent'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return <span className={`min-w-0 break-words ${color}`}>{text === '' ? '""' : text}</span>
}

function summary(value: object): string {
  return Array.isArray(value) ? `[${value.length}]` : `{ ${Object.keys(value).slice(0, 4).join(', ')} }`
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}
