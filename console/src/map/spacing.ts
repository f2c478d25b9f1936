export const nodeHeight = 54
/** Between one node and the node below it. */
export const nodeGap = 22

/** How much room a node and the way to the next one take; a narrow page has a tighter one. */
export interface Spacing {
  nodeWidth: number
  gap: number
}
export const wide: Spacing = { nodeWidth: 196, gap: 62 }
export const tight: Spacing = { nodeWidth: 158, gap: 34 }

export interface Place {
  x: number
  y: number
}
