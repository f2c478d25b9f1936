import { useEffect, useSyncExternalStore } from 'react'

let message: { text: string; id: number } | undefined
const watchers = new Set<() => void>()

/** A word at the bottom of the page, read out politely, gone after a moment. */
export function toast(text: string): void {
  message = { text, id: (message?.id ?? 0) + 1 }
  for (const watcher of watchers) watcher()
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

export function Toasts() {
  const shown = useSyncExternalStore(watch, () => message)
  useEffect(() => {
    if (shown === undefined) return
    const timer = setTimeout(() => {
      message = undefined
      for (const watcher of watchers) watcher()
    }, 2_000)
    return () => clearTimeout(timer)
  }, [shown])

  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 bottom-5 z-50 flex justify-center">
      {shown && (
        <div className="rounded-full bg-ink px-3.5 py-1.5 text-sm text-bg shadow-lg" key={shown.id}>
          {shown.text}
        </div>
      )}
    </div>
  )
}
