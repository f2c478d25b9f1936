import { useEffect } from 'react'
import { Command } from '../ui/copy.tsx'
import { Logo } from './logo.tsx'

/** Shown instead of everything while the server does not know the reader. */
export function SignIn() {
  useEffect(() => {
    document.title = 'Sign in · Millrace'
  }, [])
  return (
    <main className="flex h-full items-center justify-center p-6">
      <div className="flex w-full max-w-md flex-col gap-4">
        <span className="text-accent">
          <Logo size={36} />
        </span>
        <h1 className="text-2xl font-semibold tracking-tight">This console is signed in by a link</h1>
        <p className="text-base text-ink-2">
          The app prints it when it starts. Look in its terminal for the line that begins with <strong>Console</strong>,
          and open the address as it stands, with everything after the question mark.
        </p>
        <pre className="mono overflow-x-auto rounded-md border border-line bg-sunken px-3 py-2.5 text-ink-2">
          {`Console  ${location.origin}${import.meta.env.BASE_URL}?t=…`}
        </pre>
        <p className="text-base text-ink-2">Is the line gone? Start the app again and it prints a new one:</p>
        <Command text="npx millrace dev" />
      </div>
    </main>
  )
}
