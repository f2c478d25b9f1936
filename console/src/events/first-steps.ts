import type { Topology, TopologyNode } from '../contract.ts'

const writing = ['POST', 'PATCH', 'PUT']

/**
 * Commands that make something happen in an app that nothing happened in yet. A route or an event may carry a sample of
 * its input in the fact `example`; without one the app's answer says what is missing.
 */
export function firstSteps(topology: Topology | undefined): string[] {
  const nodes = topology?.nodes ?? []
  const route = nodes.find((node) => node.kind === 'route' && writing.some((verb) => node.name.startsWith(verb)))
  const event = nodes.find((node) => node.kind === 'event')
  return [...(route ? [curl(route)] : []), ...(event ? [emitCommand(event.name, sample(event))] : [])]
}

/** Publishes an event from a terminal. */
export function emitCommand(event: string, json: string): string {
  return `npx millrace emit ${event} ${shell(json)}`
}

/** Follows the log from a terminal, with the filter of the page. */
export function tailCommand(filter: string): string {
  return filter === '' ? 'npx millrace tail' : `npx millrace tail ${shell(filter)}`
}

/** Text as one word of a POSIX shell. */
export function shell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function curl(route: TopologyNode): string {
  const [method = 'POST', path = '/'] = route.name.split(' ')
  const address = `${location.origin}${path.replace(/:\w+/g, '1')}`
  return `curl -X ${method} ${address} -H 'content-type: application/json' -d ${shell(sample(route))}`
}

function sample({ facts }: TopologyNode): string {
  return facts['example'] ?? '{}'
}
