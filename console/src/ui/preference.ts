import { useSyncExternalStore } from 'react'

const watchers = new Set<() => void>()

/** A choice of this reader on this machine. A private window without storage keeps the defaults. */
export function readPreference(name: string): string | null {
  try {
    return localStorage.getItem(`millrace.${name}`)
  } catch {
    return null
  }
}

export function writePreference(name: string, value: string): void {
  try {
    localStorage.setItem(`millrace.${name}`, value)
  } catch {
    // The choice lasts as long as the page then.
  }
  for (const watcher of watchers) watcher()
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

export function usePreference(name: string): string | null {
  return useSyncExternalStore(watch, () => readPreference(name))
}
