/** Random choices that a seed repeats. */
export interface Random {
  /** At least 0, below 1. */
  next(): number
  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number
  one<T>(choices: readonly T[]): T
  /** One of the names, each as often as its number says. */
  weighted<N extends string>(weights: Readonly<Record<N, number>>): N
  /** True once in `n` times. */
  onceIn(n: number): boolean
}

/** Mulberry32: small, seeded, good enough to choose moments. */
export function seeded(from: number): Random {
  let state = from
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
  const int = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    int,
    one: (choices) => choices[int(0, choices.length - 1)] as (typeof choices)[number],
    weighted<N extends string>(weights: Readonly<Record<N, number>>): N {
      const entries = Object.entries(weights) as [N, number][]
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [name, weight] of entries) {
        left -= weight
        if (left < 0) return name
      }
      return (entries.at(-1) as [N, number])[0]
    },
    onceIn: (n) => int(1, n) === 1,
  }
}
