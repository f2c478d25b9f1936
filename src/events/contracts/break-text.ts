import type { EventDefinition } from '../event.ts'
import type { Break } from './judge.ts'

/** What breaks and how to mend it, for people: one line for each place. */
export function breakText({ name, version }: EventDefinition, breaks: readonly Break[]): string {
  const lines = breaks.flatMap(({ against, direction, gaps }) => [
    `  not ${direction} compatible with version ${against.version}, registered ${against.registeredAt.slice(0, 10)}:`,
    ...gaps.map(({ path, from, to, why }) => {
      const [was, is] = direction === 'backward' ? [from, to] : [to, from]
      return `    ${path === '' ? '(the whole)' : path}  was: ${was}; is: ${is}${direction === 'backward' ? ` (${why})` : ' (readers of the older schema refuse it)'}`
    }),
  ])
  return [
    `event ${name}, version ${version}, breaks what is registered`,
    ...lines,
    `  ${mending(name, version, breaks)}`,
  ].join('\n')
}

function mending(name: string, version: number, breaks: readonly Break[]): string {
  const newest = Math.max(version, ...breaks.map(({ against }) => against.version))
  const olders = [
    ...new Set(breaks.filter(({ direction }) => direction === 'backward').map(({ against }) => against.version)),
  ]
  if (olders.length === 0) return "Keep what older readers need, or set compatibility: 'backward' or 'none'."
  const isRaised = olders.every((older) => older < version)
  const next = isRaised ? version : newest + 1
  const steps = olders.map((older) => `${older}: (data) => …`).join(', ')
  const raise = isRaised ? 'Give an upcaster' : `Raise the version to ${next} and give an upcaster`
  return `${raise}: event('${name}', …, { version: ${next}, upcast: { ${steps} } }), or set compatibility: 'none' once.`
}
