import { readFileSync } from 'node:fs'

/** How busy this process and the whole machine were, as shares: 1 is one core for Node, all cores for the machine. */
export interface Load {
  node: number
  machine: number | undefined
}

/** Measures until the returned function is called. */
export function startLoad(): () => Load {
  const startedAt = performance.now()
  const node = process.cpuUsage()
  const machine = machineTicks()
  return () => {
    const { user, system } = process.cpuUsage(node)
    const now = machineTicks()
    const total = machine && now && now.total - machine.total
    return {
      node: (user + system) / 1000 / (performance.now() - startedAt),
      machine: total ? 1 - (now.idle - machine.idle) / total : undefined,
    }
  }
}

/** From /proc/stat; `undefined` where there is none. */
function machineTicks(): { idle: number; total: number } | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    const ticks = line.split(/\s+/).slice(1, 9).map(Number)
    return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), total: ticks.reduce((sum, each) => sum + each, 0) }
  } catch {
    return undefined
  }
}

export function describeLoad({ node, machine }: Load): string {
  const whole = machine === undefined ? '' : `, machine ${Math.round(machine * 100)} %`
  return `node ${Math.round(node * 100)} % of a core${whole}`
}

export const windowSeconds = 5

/** Counts in windows until the returned function is called, which gives the rates of the whole ones. */
export function watchWindows(count: () => number): () => number[] {
  const rates: number[] = []
  let at = performance.now()
  let before = count()
  const timer = setInterval(() => {
    const [now, counted] = [performance.now(), count()]
    rates.push((counted - before) / ((now - at) / 1000))
    at = now
    before = counted
  }, windowSeconds * 1000)
  return () => {
    clearInterval(timer)
    return rates
  }
}
