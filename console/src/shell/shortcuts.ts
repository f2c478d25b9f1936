import { useEffect, useEffectEvent } from 'react'
import { readPreference } from '../ui/preference.ts'

type Handler = (event: KeyboardEvent) => void

/** Newest last: what was opened last answers first. */
const handlers = new Map<string, Handler[]>()
let prefix = ''
let prefixAt = 0
const prefixLastsMs = 1_200

/**
 * Answers a key, or two in a row such as `g e`, while the component stands. Single keys are ignored inside inputs, list
 * boxes and dialogs, and when the reader switched them off (WCAG 2.1.4); Escape and `mod+k` always work.
 */
export function useShortcut(keys: string, handler: Handler, enabled = true): void {
  const onKeys = useEffectEvent(handler)
  useEffect(() => {
    if (!enabled) return
    const own: Handler = (event) => onKeys(event)
    handlers.set(keys, [...(handlers.get(keys) ?? []), own])
    return () => {
      handlers.set(
        keys,
        (handlers.get(keys) ?? []).filter((each) => each !== own),
      )
    }
  }, [keys, enabled])
}

export function listenForShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return
    const keys = pressed(event)
    if (keys === undefined) return
    const handler = handlers.get(keys)?.at(-1)
    if (handler === undefined) return
    event.preventDefault()
    handler(event)
  })
}

function pressed(event: KeyboardEvent): string | undefined {
  if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === 'k') return 'mod+k'
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return undefined
  if (event.key === 'Escape') return 'Escape'
  if (readPreference('single-keys') === 'off') return undefined
  const since = event.timeStamp - prefixAt
  const keys = prefix !== '' && since < prefixLastsMs ? `${prefix} ${event.key}` : event.key
  prefix = keys === 'g' ? 'g' : ''
  prefixAt = event.timeStamp
  return keys
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false
  return target.closest('input, textarea, select, [contenteditable], [role="listbox"], [role="dialog"]') !== null
}
