import type { NavigateOptions } from '@tanstack/react-router'
import type { EventSummary, Topology, TopologyNode } from '../contract.ts'
import type { router } from '../router.tsx'
import { copy } from '../ui/copy.tsx'
import type { IconName } from '../ui/icon.tsx'
import { places } from './places.ts'
import { chooseTheme } from './theme.ts'

export interface Command {
  name: string
  icon: IconName
  hint: string
  go?: NavigateOptions<typeof router>
  act?: () => void
}

interface Asked {
  text: string
  topology: Topology | undefined
  head: number
  /** The event whose id the text is. */
  found: EventSummary | undefined
}

const most = 12

/** What the palette offers for a text, the likeliest first. */
export function commandsFor({ text, topology, head, found }: Asked): Command[] {
  const words = text.toLowerCase().split(/\s+/)
  const all = [...pages, ...(topology?.nodes ?? []).map(partCommand), ...actions]
  const matching = all.filter(({ name, hint }) => words.every((word) => `${name} ${hint}`.toLowerCase().includes(word)))
  return [...foundCommands(found), ...positionCommands(text, head), ...matching.slice(0, most), ...searchCommands(text)]
}

const pages: readonly Command[] = places.map(({ to, title, icon, letter }) => ({
  name: title,
  icon,
  hint: `g ${letter}`,
  go: { to },
}))

const actions: readonly Command[] = [
  {
    name: 'Copy the address of this page',
    icon: 'copy',
    hint: 'action',
    act: () => void copy(location.href, 'address'),
  },
  { name: 'Theme: light', icon: 'sun', hint: 'action', act: () => chooseTheme('light') },
  { name: 'Theme: dark', icon: 'moon', hint: 'action', act: () => chooseTheme('dark') },
  { name: 'Theme: as the system', icon: 'auto', hint: 'action', act: () => chooseTheme('auto') },
]

function foundCommands(found: EventSummary | undefined): Command[] {
  if (found === undefined) return []
  const params = { position: String(found.position) }
  return [
    {
      name: `${found.type} ${found.position}`,
      icon: found.kind === 'change' ? 'table' : 'event',
      hint: 'id',
      go: { to: '/e/$position', params },
    },
  ]
}

function positionCommands(text: string, head: number): Command[] {
  const position = Number(text.replace(/^#/, '').replaceAll(/[,_ ]/g, ''))
  if (!Number.isSafeInteger(position) || position < 1 || position > head) return []
  const params = { position: String(position) }
  return [
    { name: `Event ${position}`, icon: 'event', hint: 'position', go: { to: '/e/$position', params } },
    { name: `Journey of ${position}`, icon: 'journey', hint: 'position', go: { to: '/j/$position', params } },
  ]
}

function searchCommands(text: string): Command[] {
  if (text === '') return []
  return [
    { name: `Events that contain “${text}”`, icon: 'search', hint: 'events', go: { to: '/events', search: { text } } },
    { name: `Events with key ${text}`, icon: 'filter', hint: 'events', go: { to: '/events', search: { key: text } } },
  ]
}

function partCommand({ id, kind, name }: TopologyNode): Command {
  const common = { name, icon: kind, hint: kind }
  if (kind === 'event') return { ...common, go: { to: '/events', search: { type: name } } }
  if (kind === 'table') return { ...common, go: { to: '/events', search: { type: `change:${name}` } } }
  if (kind === 'route') return { ...common, go: { to: '/map', search: { sel: id } } }
  return { ...common, go: { to: '/consumers', search: { sel: id } } }
}
