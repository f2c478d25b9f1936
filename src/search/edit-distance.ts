/**
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours count one each, and no
 * part is edited twice (Boytsov, "Indexing methods for approximate dictionary searching", 2011, section 2).
 * Stops early and returns `max + 1` when the distance is above `max`.
 */
export function editDistance(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) > max) return max + 1
  return Math.min(max + 1, walk(a, b, max).at(-1) ?? max + 1)
}

/** The least distance between `typed` and any beginning of `term`: how far a word was mistyped before it was finished. */
export function prefixDistance(typed: string, term: string, max: number): number {
  const row = walk(typed, term.slice(0, typed.length + max), max)
  return Math.min(max + 1, ...row)
}

/** The last row of the distance table: from all of `a` to each beginning of `b`; empty when every entry is above `max`. */
function walk(a: string, b: string, max: number): number[] {
  let older: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(older, j - 2) + 1)
      row.push(cost)
      if (cost < least) least = cost
    }
    // A swap reaches two rows back, so one bad row alone does not end it.
    if (least > max && Math.min(...above) > max) return []
    older = above
    above = row
  }
  return above
}

function at(row: readonly number[], index: number): number {
  return row[index] as number
}
