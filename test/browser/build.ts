import { execFileSync } from 'node:child_process'

/** Builds what the tests look at, so that they never look at something older than the sources. */
export function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { stdio: ['ignore', 'ignore', 'inherit'] })
}
