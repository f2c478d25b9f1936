import { useEffect, useState } from 'react'
import { Icon } from './icon.tsx'
import { toast } from './toast.tsx'

/** Copies and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast(`Copied ${what}`)
  } catch {
    // Without a secure origin there is no clipboard: leave the text selected for the reader's own shortcut.
    window.prompt(`Copy ${what}`, text)
  }
}

interface CopyButtonProps {
  text: string | (() => string)
  /** What is copied, for the button's name: "id", "payload". */
  what: string
  /** Shown beside the icon. */
  label?: string
}

export function CopyButton({ text, what, label }: CopyButtonProps) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [copied])

  const onClick = async (): Promise<void> => {
    await copy(typeof text === 'string' ? text : text(), what)
    setCopied(true)
  }
  return (
    <button
      type="button"
      onClick={() => void onClick()}
      aria-label={label === undefined ? `Copy ${what}` : undefined}
      title={`Copy ${what}`}
      className="relative z-1 inline-flex min-h-6 min-w-6 shrink-0 items-center justify-center gap-1.5 rounded px-1 text-sm text-ink-3 hover:bg-hover hover:text-ink"
    >
      <Icon name={copied ? 'check' : 'copy'} size={13} />
      {label}
    </button>
  )
}

/** A command as it would be typed, with its copy button. */
export function Command({ text }: { text: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-2.5">
      <code className="mono min-w-0 flex-1 py-0.5 break-words whitespace-pre-wrap text-ink">
        <span aria-hidden="true" className="mr-2 text-ink-3 select-none">
          $
        </span>
        {text}
      </code>
      <CopyButton text={text} what="command" />
    </div>
  )
}
