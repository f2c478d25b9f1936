import { useNavigate } from '@tanstack/react-router'
import type { IconName } from '../ui/icon.tsx'
import { useShortcut } from './shortcuts.ts'

/** Which key opens the palette depends on it. */
export const isMac: boolean = navigator.platform.startsWith('Mac')

interface Place {
  to: '/' | '/map' | '/events' | '/consumers' | '/failed' | '/journey'
  title: string
  icon: IconName
  /** After `g`. */
  letter: string
}

/** The pages, in the order of the navigation. */
export const places: readonly Place[] = [
  { to: '/', title: 'Overview', icon: 'overview', letter: 'o' },
  { to: '/map', title: 'Map', icon: 'map', letter: 'm' },
  { to: '/events', title: 'Events', icon: 'events', letter: 'e' },
  { to: '/consumers', title: 'Consumers', icon: 'consumers', letter: 'c' },
  { to: '/failed', title: 'Failed', icon: 'failed', letter: 'f' },
  { to: '/journey', title: 'Journey', icon: 'journey', letter: 'j' },
]

export function useGoShortcuts(): void {
  const navigate = useNavigate()
  useShortcut('g', () => undefined)
  useShortcut('g o', () => void navigate({ to: '/' }))
  useShortcut('g m', () => void navigate({ to: '/map' }))
  useShortcut('g e', () => void navigate({ to: '/events' }))
  useShortcut('g c', () => void navigate({ to: '/consumers' }))
  useShortcut('g f', () => void navigate({ to: '/failed' }))
  useShortcut('g j', () => void navigate({ to: '/journey' }))
}
