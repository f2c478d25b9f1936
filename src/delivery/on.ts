import { checkName } from '../kernel/names.ts'
import type { BatchContext, BatchHandler, ContextOf, EventOf, Handler } from './handler.ts'
import {
  type BatchOptions,
  type OnOptions,
  type ResolvedOnOptions,
  resolveBatchOptions,
  resolveOnOptions,
} from './on-options.ts'
import { type EachOf, type FollowedSource, followed, type Sources } from './source.ts'

/** A durable consumer: events of one key in order, keys independently of each other. */
export interface ConsumerDefinition {
  readonly kind: 'consumer'
  readonly name: string
  readonly sources: readonly FollowedSource[]
  readonly options: ResolvedOnOptions
  readonly handler: Handler<unknown> | BatchHandler
}

type On = {
  <const S extends Sources>(
    name: string,
    source: S,
    handler: (context: ContextOf<EachOf<S>>) => unknown,
  ): ConsumerDefinition
  <const S extends Sources>(
    name: string,
    source: S,
    options: OnOptions<EachOf<S>>,
    handler: (context: ContextOf<EachOf<S>>) => unknown,
  ): ConsumerDefinition
  /**
   * As `on`, with many events in one call: for bulk statements and bulk requests. A batch is one transaction. When the
   * handler blames an event with `fail`, only that one fails; when it throws, the batch is halved until the guilty one is
   * alone. An event that is tried again comes alone.
   */
  batch<const S extends Sources>(
    name: string,
    source: S,
    options: BatchOptions<EachOf<S>>,
    handler: (context: BatchContext<EventOf<EachOf<S>>>) => unknown,
  ): ConsumerDefinition
}

/**
 * Follows an event, a table or some of its changes, several of them, or all that match a pattern.
 * @param name durable: it keeps the place in the log across restarts and versions of the code
 * @throws OPTION_INVALID, OPTION_UNKNOWN, NAME_INVALID
 */
export const on: On = Object.assign(
  (name: string, source: Sources, ...rest: readonly unknown[]): ConsumerDefinition => {
    const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
    return declare(name, source, resolveOnOptions(name, options as OnOptions), handler as Handler<unknown>)
  },
  {
    batch: (name: string, source: Sources, options: BatchOptions<never>, handler: unknown): ConsumerDefinition =>
      declare(name, source, resolveBatchOptions(name, options), handler as BatchHandler),
  },
)

function declare(
  name: string,
  source: Sources,
  options: ResolvedOnOptions,
  handler: ConsumerDefinition['handler'],
): ConsumerDefinition {
  checkName('consumer', name)
  return { kind: 'consumer', name, sources: followed(`on("${name}")`, source), options, handler }
}
