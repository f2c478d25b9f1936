import { readPreference, usePreference, writePreference } from '../ui/preference.ts'

export type Theme = 'auto' | 'light' | 'dark'
const themes: readonly Theme[] = ['auto', 'light', 'dark']

function asTheme(text: string | null): Theme {
  return themes.find((theme) => theme === text) ?? 'auto'
}

/** Sets the theme on the document: nothing set follows the system. */
export function applyTheme(theme: Theme = asTheme(readPreference('theme'))): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function useTheme(): Theme {
  return asTheme(usePreference('theme'))
}

export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme)
  writePreference('theme', theme)
}
