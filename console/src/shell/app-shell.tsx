import { useQuery } from '@tanstack/react-query'
import { Outlet } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { ApiProblem } from '../api/call.ts'
import { overviewQuery } from '../api/queries.ts'
import { useLiveOverview, useRefreshOnReturn } from '../api/use-live.ts'
import { Problem } from '../ui/states.tsx'
import { Toasts } from '../ui/toast.tsx'
import { Announcer } from './announcer.tsx'
import { Navigation } from './navigation.tsx'
import { useGoShortcuts } from './places.ts'
import { useShortcut } from './shortcuts.ts'
import { SignIn } from './sign-in.tsx'
import { TopBand } from './top-band.tsx'

const Palette = lazy(() => import('./palette.tsx').then((m) => ({ default: m.Palette })))
const Help = lazy(() => import('./help.tsx').then((m) => ({ default: m.Help })))

/** The frame of every page: band, navigation, one main landmark. */
export function AppShell() {
  const overview = useQuery(overviewQuery)
  if (overview.error instanceof ApiProblem && overview.error.status === 401) return <SignIn />
  if (overview.error && overview.data === undefined) {
    return (
      <main className="flex h-full items-center">
        <h1 className="sr-only">Millrace console</h1>
        <Problem error={overview.error} retry={() => void overview.refetch()} />
      </main>
    )
  }
  return <Frame />
}

function Frame() {
  const { data: overview } = useQuery(overviewQuery)
  const [dialog, setDialog] = useState<'palette' | 'help'>()
  const close = (): void => setDialog(undefined)
  useLiveOverview()
  useRefreshOnReturn()
  useGoShortcuts()
  useShortcut('mod+k', () => setDialog('palette'))
  useShortcut('?', () => setDialog('help'))

  return (
    <div className="flex h-full flex-col">
      <a
        href="#main"
        className="absolute top-1 left-1 z-50 -translate-y-20 rounded-md bg-surface px-3 py-2 text-ink focus:translate-y-0"
      >
        Skip to the content
      </a>
      <TopBand overview={overview} onSearch={() => setDialog('palette')} onHelp={() => setDialog('help')} />
      <div className="flex min-h-0 flex-1">
        <Navigation overview={overview} />
        <main id="main" tabIndex={-1} className="relative flex min-w-0 flex-1 flex-col outline-none">
          <Outlet />
        </main>
      </div>
      <Announcer overview={overview} />
      <Toasts />
      <Suspense>
        {dialog === 'palette' && <Palette onClose={close} />}
        {dialog === 'help' && <Help onClose={close} />}
      </Suspense>
    </div>
  )
}
