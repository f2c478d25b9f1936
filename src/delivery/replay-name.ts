/** A replay runs as a consumer of its own; no declared one has a colon in its name but those of indexes. */
export const replayPrefix = 'replay:'

export function replayConsumer(id: string | number): string {
  return `${replayPrefix}${id}`
}
