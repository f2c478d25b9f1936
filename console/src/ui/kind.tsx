import type { Hop, PartKind } from '../contract.ts'
import { Icon, type IconName } from './icon.tsx'

/** Everything that has an icon by kind: parts of the map, followers, and the stops of a journey. */
export type AnyKind = PartKind | Hop['kind'] | 'change'

const looks: Record<AnyKind, { icon: IconName; color: string }> = {
  table: { icon: 'table', color: 'var(--kind-table)' },
  change: { icon: 'table', color: 'var(--kind-table)' },
  event: { icon: 'event', color: 'var(--kind-event)' },
  consumer: { icon: 'consumer', color: 'var(--kind-consumer)' },
  cache: { icon: 'cache', color: 'var(--kind-cache)' },
  index: { icon: 'index', color: 'var(--kind-index)' },
  route: { icon: 'route', color: 'var(--kind-route)' },
  commit: { icon: 'commit', color: 'var(--kind-table)' },
  capture: { icon: 'capture', color: 'var(--kind-table)' },
  sequence: { icon: 'sequence', color: 'var(--kind-event)' },
}

export function kindColor(kind: AnyKind): string {
  return looks[kind].color
}

export function KindIcon({ kind, size = 16 }: { kind: AnyKind; size?: number }) {
  return (
    <span className="inline-flex shrink-0" style={{ color: looks[kind].color }}>
      <Icon name={looks[kind].icon} size={size} />
    </span>
  )
}
