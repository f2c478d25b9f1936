import type { SearchField } from '../../search/index-shape.ts'

/** How fields share the four labels that Postgres gives the words of a tsvector. */
export interface FieldLabels {
  /** The label of each field, in the order of the fields. */
  readonly labelOf: readonly string[]
  /** Weights of the labels D, C, B and A, from 0 to 1, as `ts_rank` takes them. */
  readonly weights: readonly [number, number, number, number]
}

/**
 * Up to four different weights are kept as they are; of more, neighbours share a label under their highest. That only
 * chooses the candidates: the final score uses each field's own weight.
 */
export function fieldLabels(fields: readonly SearchField[]): FieldLabels {
  const distinct = [...new Set(fields.map(({ weight }) => weight))].sort((a, b) => b - a)
  const perLabel = Math.ceil(distinct.length / 4)
  const rankOf = (weight: number): number => Math.floor(distinct.indexOf(weight) / perLabel)
  const top = distinct[0] ?? 1
  const share = (rank: number): number => (distinct[rank * perLabel] ?? 0) / top
  return {
    labelOf: fields.map(({ weight }) => 'ABCD'.charAt(rankOf(weight))),
    weights: [share(3), share(2), share(1), share(0)],
  }
}
