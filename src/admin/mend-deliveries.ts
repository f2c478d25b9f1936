import { type Changed, discard, discardable, redrive, retryNow, selected } from '../delivery/dead-letters.ts'
import { editDelivery, undoEdit } from '../delivery/edit-delivery.ts'
import { replayPrefix } from '../delivery/replay-name.ts'
import { reopenReplay } from '../delivery/replays.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { FailedDeliveryDetail, Operations, RedriveResult } from './contract.ts'
import { editedData } from './edited-data.ts'
import { eventAt } from './event-list.ts'
import { failedDelivery, notFailed } from './failed-delivery.ts'
import { newerHandled } from './newer-handled.ts'
import { selectionOf, signedBy, storedConsumer } from './selection.ts'
import type { AdminSources } from './sources.ts'

type Input<N extends keyof Operations> = Operations[N]['input']

/** Redrives what is selected, or only says what that would be. */
export async function redriveSelected(sources: AdminSources, input: Input<'redrive'>): Promise<RedriveResult> {
  const { store } = sources
  const selection = selectionOf(input)
  const meant = await selected(store, selection, ['dead'])
  const consumers = [...new Set(meant.map(({ consumer }) => consumer))]
  const targets = await targetsOf(sources, consumers)
  let [afterNewer, unchecked] = [0, 0]
  for (const [stored, follower] of targets) {
    const own = meant.filter(({ consumer }) => consumer === stored)
    const newer = await newerHandled(sources, { stored, follower }, own)
    afterNewer += newer.afterNewer
    unchecked += newer.unchecked
  }
  const done = input.dryRun === true ? meant : await redriveIn(sources, input)
  return { ...counts(done), afterNewer, unchecked, consumers: [...new Set(targets.values())].sort() }
}

function redriveIn({ store }: AdminSources, input: Input<'redrive'>): Promise<Changed[]> {
  return store.transaction(async (tx) => {
    const done = await redrive(tx, selectionOf(input), signedBy(input))
    const replays = new Set(done.map(({ consumer }) => consumer).filter((name) => name.startsWith(replayPrefix)))
    for (const name of replays) await reopenReplay(tx, Number(name.slice(replayPrefix.length)))
    return done
  })
}

/** A key counts once for each consumer; events without one each for themselves. */
function counts(deliveries: readonly Changed[]): { redriven: number; keys: number } {
  const keys = new Set(deliveries.map(({ consumer, key, position }) => JSON.stringify([consumer, key ?? position])))
  return { redriven: deliveries.length, keys: keys.size }
}

/** The consumer behind each name under which deliveries are stored. */
async function targetsOf({ store }: AdminSources, stored: readonly string[]): Promise<Map<string, string>> {
  const rows = await store.sql<{ stored: string; consumer: string }>`
    select stored, r.consumer from unnest(${stored}::text[]) as s(stored)
      join millrace.replays r on stored = ${replayPrefix}::text || r.id`
  return new Map(stored.map((name) => [name, rows.find((row) => row.stored === name)?.consumer ?? name]))
}

export async function discardSelected(
  { store }: AdminSources,
  input: Input<'discard'>,
): Promise<{ discarded: number }> {
  const selection = selectionOf(input)
  const signed = signedBy(input)
  if (signed.reason === null)
    throw new PlatformError('INPUT_INVALID', 'a discard needs a reason', {
      issues: [{ path: '/reason', message: 'is empty' }],
    })
  const gone =
    input.dryRun === true
      ? await selected(store, selection, discardable(selection))
      : await store.transaction((tx) => discard(tx, selection, signed))
  return { discarded: gone.length }
}

export async function retrySelected({ store }: AdminSources, input: Input<'retryNow'>): Promise<{ due: number }> {
  const selection = selectionOf(input)
  const due =
    input.dryRun === true
      ? await selected(store, selection, ['retrying'])
      : await store.transaction((tx) => retryNow(tx, selection, signedBy(input)))
  return { due: due.length }
}

export async function edit(sources: AdminSources, input: Input<'edit'>): Promise<FailedDeliveryDetail> {
  const address = { consumer: storedConsumer(input), position: input.position }
  const before = await failedDelivery(sources, input)
  const edited = editedData(sources.parts, await eventAt(sources.store, input.position), input.data)
  const known = await sources.store.transaction((tx) => editDelivery(tx, address, edited, signedBy(input)))
  if (!known) throw notFailed(input)
  if (input.redrive !== true || before.state !== 'dead') return failedDelivery(sources, input)
  const told = await failedDelivery(sources, input)
  const { consumer, position, replay } = input
  await redriveSelected(sources, {
    consumer,
    positions: [position],
    ...(replay === undefined ? {} : { replay }),
    ...(input.by === undefined ? {} : { by: input.by }),
    ...(input.reason === undefined ? {} : { reason: input.reason }),
  })
  // It may be handled already: then this is the last that is known of it.
  return failedDelivery(sources, input).catch((error: unknown) => {
    if (error instanceof PlatformError && error.code === 'NOT_FOUND') return { ...told, state: 'retrying' }
    throw error
  })
}

export async function undo(sources: AdminSources, input: Input<'undoEdit'>): Promise<FailedDeliveryDetail> {
  const address = { consumer: storedConsumer(input), position: input.position }
  const before = await failedDelivery(sources, input)
  if (before.edited) await sources.store.transaction((tx) => undoEdit(tx, address, signedBy(input)))
  return failedDelivery(sources, input)
}
