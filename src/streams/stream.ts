import { Binding } from '../kernel/binding.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { ReadStreamOptions } from './read-stream.ts'
import type { GivenEvent } from './stream-append.ts'
import type { StreamRuntime } from './stream-runtime.ts'
import type {
  AppendOptions,
  Loaded,
  NewEvent,
  PendingAppend,
  StreamEvent,
  StreamEvents,
  StreamOptions,
  Within,
} from './stream-types.ts'

/** Streams of one kind, one for each id: events in order whose sum is a state. */
export interface StreamDefinition<E extends StreamEvents = StreamEvents, S = unknown> {
  readonly kind: 'stream'
  readonly name: string
  readonly events: E
  readonly options: StreamOptions<E, S>
  readonly binding: Binding<StreamRuntime>
  /**
   * Appends events; returns the stream's revision after them.
   * @throws STREAM_CONFLICT, INPUT_INVALID
   */
  append(id: string, events: readonly NewEvent<E>[], options?: AppendOptions): Promise<number>
  /** Events of a stream, in order. */
  read(id: string, options?: ReadStreamOptions): Promise<StreamEvent<E>[]>
  /** The state of a stream: now, at a revision or at a time. */
  load(id: string, options?: { asOf?: Date | number }): Promise<Loaded<S>>
  /**
   * Loads, decides and appends, expecting that nobody appended in between; on a conflict all of it again, at most
   * `attempts` times (default 10), with a short random wait. No events: nothing is appended. Returns state and revision
   * after it. With `within` there is one try: the transaction is the caller's to repeat.
   * @throws STREAM_CONFLICT after the last try
   */
  update(
    id: string,
    decide: (state: S, revision: number) => readonly NewEvent<E>[] | Promise<readonly NewEvent<E>[]>,
    options?: Omit<AppendOptions, 'expect'> & { attempts?: number },
  ): Promise<Loaded<S>>
  /** An append for `appendAll`. */
  pending(id: string, events: readonly NewEvent<E>[], options?: Omit<AppendOptions, 'within'>): PendingAppend
}

/**
 * Declares event-sourced streams.
 * @param name what kind of thing a stream is, such as `'account'`; a stream is `account:<id>`, and that is the key of its events
 */
export function stream<const E extends StreamEvents, S>(
  name: string,
  given: StreamOptions<E, S>,
): StreamDefinition<E, S> {
  checkName('stream', name)
  const options = resolveOptions(`stream("${name}")`, defaults, given) as unknown as StreamOptions<E, S>
  if (Object.keys(options.events).length === 0)
    throw new PlatformError('OPTION_INVALID', `stream("${name}"): events names none`)
  const { snapshot } = options
  if (snapshot !== undefined && !(Number.isSafeInteger(snapshot.every) && snapshot.every > 0))
    throw new PlatformError('OPTION_INVALID', `stream("${name}"): snapshot.every must be a whole number from 1`)
  const binding = new Binding<StreamRuntime>(`stream "${name}"`)
  const definition: StreamDefinition<E, S> = {
    kind: 'stream',
    name,
    events: options.events,
    options,
    binding,
    append: (id, events, terms) => binding.current.append(definition as never, id, events as never, terms),
    read: async (id, terms) => (await binding.current.read(definition as never, id, terms)) as StreamEvent<E>[],
    load: async (id, terms) => (await binding.current.load(definition as never, id, terms)) as Loaded<S>,
    update: async (id, decide, terms) =>
      (await binding.current.update(definition as never, id, decide as never, terms)) as Loaded<S>,
    pending: (id, events, terms) =>
      binding.current.pending(definition as never, id, events as readonly GivenEvent[], terms),
  }
  return definition
}

const defaults = {
  events: {} as StreamEvents,
  initial: undefined as unknown,
  evolve: undefined as unknown,
  snapshot: undefined as { every: number; version: number } | undefined,
  inline: undefined as unknown,
}

/**
 * Appends to several streams: all of them, or none if the expectation of one does not hold. Returns the revisions.
 * @throws STREAM_CONFLICT, OPTION_INVALID when a stream stands there twice
 */
export async function appendAll(
  appends: readonly PendingAppend[],
  options: { within?: Within } = {},
): Promise<number[]> {
  const [first] = appends
  if (first === undefined) return []
  return first.by.appendAll(appends, options.within)
}
