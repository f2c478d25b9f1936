import { PlatformError } from '../../kernel/errors.ts'

/**
 * What a change of an event's schema must keep to, towards every schema registered before (transitively):
 * - `backward`: whatever was valid under an older schema is valid under the new one, or an upcaster makes it so. New code
 *   reads old events.
 * - `forward`: whatever is valid under the new schema is valid under every older one. Readers that know an older schema
 *   read new events.
 * - `full`: both.
 * - `none`: nothing is compared, and later schemas are compared with this one and what follows it only.
 */
export type Compatibility = 'backward' | 'forward' | 'full' | 'none'

const known: readonly unknown[] = ['backward', 'forward', 'full', 'none'] satisfies Compatibility[]

/** @throws OPTION_INVALID */
export function checkCompatibility(event: string, given: unknown): void {
  if (known.includes(given)) return
  throw new PlatformError('OPTION_INVALID', `event ${event}: compatibility must be one of ${known.join(', ')}`)
}
