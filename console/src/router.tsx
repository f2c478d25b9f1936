import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { parseSearch, positionOf, stringifySearch, textOf } from './search.ts'
import { AppShell } from './shell/app-shell.tsx'
import { NotFound } from './shell/not-found.tsx'

/** What the address of the events page says. */
export interface EventsSearch {
  type?: string | undefined
  key?: string | undefined
  text?: string | undefined
  /** The selected event. */
  sel?: number | undefined
}
export interface SelectionSearch {
  sel?: string | undefined
}

/** What the address of the failed page says. */
export interface FailedSearch {
  /** The group, by its signature. */
  group?: string | undefined
  /** The selected delivery, `consumer#position` or `consumer#position#replay`. */
  sel?: string | undefined
}

/** Row changes alone, or events as well. */
export interface JourneySearch {
  show?: 'all' | undefined
}

const root = createRootRoute({ component: AppShell, notFoundComponent: NotFound })

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./overview/overview-page.tsx'), 'OverviewPage'),
})

const map = createRoute({
  getParentRoute: () => root,
  path: '/map',
  validateSearch: (search): SelectionSearch => ({ sel: textOf(search, 'sel') }),
  component: lazyRouteComponent(() => import('./map/map-page.tsx'), 'MapPage'),
})

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: (search): EventsSearch => ({
    type: textOf(search, 'type'),
    key: textOf(search, 'key'),
    text: textOf(search, 'text'),
    sel: positionOf(search, 'sel'),
  }),
  component: lazyRouteComponent(() => import('./events/events-page.tsx'), 'EventsPage'),
})

const event = createRoute({
  getParentRoute: () => root,
  path: '/e/$position',
  component: lazyRouteComponent(() => import('./events/event-page.tsx'), 'EventPage'),
})

const consumers = createRoute({
  getParentRoute: () => root,
  path: '/consumers',
  validateSearch: (search): SelectionSearch => ({ sel: textOf(search, 'sel') }),
  component: lazyRouteComponent(() => import('./consumers/consumers-page.tsx'), 'ConsumersPage'),
})

const failed = createRoute({
  getParentRoute: () => root,
  path: '/failed',
  validateSearch: (search): FailedSearch => ({ group: textOf(search, 'group'), sel: textOf(search, 'sel') }),
  component: lazyRouteComponent(() => import('./failed/failed-page.tsx'), 'FailedPage'),
})

const journeys = createRoute({
  getParentRoute: () => root,
  path: '/journey',
  validateSearch: (search): JourneySearch => ({ show: search['show'] === 'all' ? 'all' : undefined }),
  component: lazyRouteComponent(() => import('./journey/journeys-page.tsx'), 'JourneysPage'),
})

const journey = createRoute({
  getParentRoute: () => root,
  path: '/j/$position',
  component: lazyRouteComponent(() => import('./journey/journey-page.tsx'), 'JourneyPage'),
})

export const router = createRouter({
  routeTree: root.addChildren([overview, map, events, event, consumers, failed, journeys, journey]),
  basepath: import.meta.env.BASE_URL,
  defaultPreload: 'intent',
  parseSearch,
  stringifySearch,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
