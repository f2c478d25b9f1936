import { spawn } from 'node:child_process'

/** Calls the action of each key that is pressed in a terminal; returns what lets the terminal go. */
export function listenToKeys(actions: Readonly<Record<string, () => void>>): () => void {
  const { stdin } = process
  const press = (keys: Buffer): void => {
    for (const key of keys.toString('utf8')) actions[key === '\u0003' || key === '\u0004' ? 'q' : key.toLowerCase()]?.()
  }
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on('data', press)
  return () => {
    stdin.off('data', press)
    stdin.setRawMode(false)
    stdin.pause()
  }
}

const openers: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer' }

/** Opens an address in the browser; `failed` when there is none. */
export function openInBrowser(url: string, failed: () => void): void {
  const opener = spawn(openers[process.platform] ?? 'xdg-open', [url], { detached: true, stdio: 'ignore' })
  opener.on('error', failed)
  opener.unref()
}
