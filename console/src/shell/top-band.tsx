import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import type { Overview } from '../contract.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { ConnectionState } from './connection-state.tsx'
import { Logo } from './logo.tsx'
import { short } from './page-title.tsx'
import { isMac } from './places.ts'
import { chooseTheme, nextTheme, type Theme, useTheme } from './theme.ts'

const themeLooks: Record<Theme, { icon: IconName; name: string }> = {
  auto: { icon: 'auto', name: 'as the system' },
  light: { icon: 'sun', name: 'light' },
  dark: { icon: 'moon', name: 'dark' },
}

interface TopBandProps {
  overview: Overview | undefined
  onSearch: () => void
  onHelp: () => void
}

/** Which app and which environment this tab acts on, in a colour that cannot be mistaken. */
export function TopBand({ overview, onSearch, onHelp }: TopBandProps) {
  const theme = useTheme()
  const next = nextTheme(theme)
  const environment = overview?.environment
  useEffect(() => {
    if (environment === undefined) return
    document.documentElement.dataset['environment'] = environment
    document.querySelector('link[rel="icon"]')?.setAttribute('href', favicon(environment))
  }, [environment])

  return (
    <header className="flex h-11 shrink-0 items-center gap-3 border-b border-band-line bg-band px-3.5 text-band-ink">
      <Link to="/" className="flex min-h-7 items-center gap-2.5 outline-band-ink" aria-label="Millrace: overview">
        <Logo size={22} />
      </Link>
      <span className="text-lg font-semibold tracking-tight">{overview?.app ?? 'millrace'}</span>
      {overview && (
        <span
          className="rounded-full border border-current/40 px-2 text-xs leading-5 font-semibold"
          title={overview.environment}
        >
          {short(overview.environment)}
        </span>
      )}
      <div className="flex-1" />
      <ConnectionState />
      <button
        type="button"
        onClick={onSearch}
        className="flex h-7 items-center gap-2 rounded-md border border-current/30 px-2.5 text-sm text-band-ink-2 outline-band-ink hover:bg-band-hover hover:text-band-ink md:min-w-52"
      >
        <Icon name="search" size={13} />
        <span className="flex-1 text-left">Jump to…</span>
        <kbd className="text-xs opacity-90">{isMac ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <BandButton
        icon={themeLooks[theme].icon}
        label={`Theme: ${themeLooks[theme].name}. Change to ${themeLooks[next].name}`}
        onClick={() => chooseTheme(next)}
      />
      <BandButton icon="help" label="Keyboard shortcuts and help" onClick={onHelp} />
    </header>
  )
}

function BandButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="inline-flex size-7 items-center justify-center rounded-md text-band-ink-2 outline-band-ink hover:bg-band-hover hover:text-band-ink"
    >
      <Icon name={icon} size={15} />
    </button>
  )
}

/** The wheel in the colour of the band, so that tabs differ even when they are narrow. */
function favicon(environment: Overview['environment']): string {
  const color = environment === 'production' ? '#8a2c2c' : '#0f5f6b'
  const wheel = '<path d="M8 3.5v9M3.5 8h9M4.8 4.8l6.4 6.4M11.2 4.8l-6.4 6.4" stroke="white" stroke-width="1.3"/>'
  const ring = '<circle cx="8" cy="8" r="4.5" fill="none" stroke="white" stroke-width="1.5"/>'
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="${color}"/>${ring}${wheel}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
