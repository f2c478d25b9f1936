/** Between the two SIGINTs that `npm run` makes of one Ctrl-C. */
const echoMs = 700

/**
 * Aborts at the first SIGINT or SIGTERM. A later one ends the process at once, with the exit code of its signal; an echo
 * of the first does not.
 */
export function stopSignals(): AbortSignal {
  const stopping = new AbortController()
  let firstAt = 0
  const ask = (code: number) => (): void => {
    const now = performance.now()
    if (!stopping.signal.aborted) {
      firstAt = now
      stopping.abort()
    } else if (now - firstAt > echoMs) process.exit(code)
  }
  process.on('SIGINT', ask(130))
  process.on('SIGTERM', ask(143))
  return stopping.signal
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
