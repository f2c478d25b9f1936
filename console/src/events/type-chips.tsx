import { Link } from '@tanstack/react-router'
import type { EventsSearch } from '../router.tsx'
import { KindIcon } from '../ui/kind.tsx'
import type { Suggestion } from './filter-box.tsx'

const mostChips = 6

/** The types of the app as filters of one click; the chosen one takes itself off. */
export function TypeChips({ types, search }: { types: readonly Suggestion[]; search: EventsSearch }) {
  return (
    <ul aria-label="Types" className="flex flex-wrap gap-1.5">
      {types.slice(0, mostChips).map(({ type, kind }) => {
        const chosen = search.type === type
        return (
          <li key={type}>
            <Link
              to="/events"
              search={{ ...search, type: chosen ? undefined : type }}
              aria-current={chosen}
              data-chosen={chosen}
              activeOptions={{ exact: true }}
              className="inline-flex min-h-[1.875rem] items-center gap-1.5 rounded-full border border-line px-2.5 text-sm text-ink-2 hover:bg-hover hover:text-ink data-[chosen=true]:border-accent data-[chosen=true]:bg-accent-soft data-[chosen=true]:text-ink"
            >
              <KindIcon kind={kind} size={13} />
              {type}
            </Link>
          </li>
        )
      })}
    </ul>
  )
}
