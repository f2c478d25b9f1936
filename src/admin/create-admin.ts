import { PlatformError } from '../kernel/errors.ts'
import { compileSchema, type Fields, type Schema } from '../kernel/schema.ts'
import { consumerViews } from './consumers.ts'
import type { ConsumerView, OperationName, Operations, Signed } from './contract.ts'
import { correlatedEvents, eventById } from './event-chain.ts'
import { eventDetail } from './event-detail.ts'
import { listEvents } from './event-list.ts'
import { failedDeliveries } from './failed-deliveries.ts'
import { failedDelivery } from './failed-delivery.ts'
import { failureGroups } from './failures.ts'
import { interventionPage } from './interventions.ts'
import { cancelJobBy, jobById, jobPage, retryJobBy } from './jobs.ts'
import { journeyOf } from './journey.ts'
import { Live } from './live.ts'
import { Archives, logView } from './log.ts'
import { discardSelected, edit, redriveSelected, retrySelected, undo } from './mend-deliveries.ts'
import { operationInputs } from './operation-inputs.ts'
import { operationKinds } from './operation-kinds.ts'
import { overviewOf } from './overview.ts'
import { pauseConsumer } from './pause-consumer.ts'
import { Rates } from './rates.ts'
import { moveReplay, planReplay, replayOf, replayViews, startReplayOf } from './replays.ts'
import { moveSchedule, scheduleViews } from './schedules.ts'
import type { AdminSources } from './sources.ts'
import { topologyOf } from './topology.ts'

/** One operation, as the gateway serves it and the CLI calls it. */
export interface AdminOperation {
  readonly name: string
  readonly kind: 'query' | 'command'
  readonly input: Schema<unknown>
  run(input: unknown): Promise<unknown>
}

/** The typed operations of one running app: the only source of console and CLI. */
export interface Admin {
  readonly operations: readonly AdminOperation[]
  readonly live: Live
  run<N extends OperationName>(name: N, input: Operations[N]['input']): Promise<Operations[N]['output']>
  stop(): void
}

type Runs = { readonly [N in OperationName]: (input: Operations[N]['input']) => Promise<Operations[N]['output']> }

export function createAdmin(sources: AdminSources): Admin {
  const rates = new Rates(sources)
  const runs: Runs = {
    overview: () => overviewOf(sources, rates),
    topology: async () => topologyOf(sources, rates, await consumerViews(sources, rates)),
    consumers: () => consumerViews(sources, rates),
    pauseConsumer: (input) => setPaused(sources, rates, input, true),
    resumeConsumer: (input) => setPaused(sources, rates, input, false),
    ...eventRuns(sources),
    ...failureRuns(sources),
    ...replayRuns(sources),
    ...jobRuns(sources),
    ...logRuns(sources),
  }
  return {
    operations: (Object.keys(operationKinds) as OperationName[]).map((name) => operation(name, runs)),
    live: new Live(sources, rates),
    run: (name, input) => runs[name](input),
    stop: () => rates.stop(),
  }
}

function operation<N extends OperationName>(name: N, runs: Runs): AdminOperation {
  return {
    name,
    kind: operationKinds[name],
    input: compileSchema(operationInputs[name] as Fields) as Schema<unknown>,
    run: (input) => runs[name](input as Operations[N]['input']),
  }
}

type EventRun = 'events' | 'event' | 'journey' | 'eventById' | 'correlated' | 'emit'
const eventRuns = (sources: AdminSources): Pick<Runs, EventRun> => ({
  events: (filter) => listEvents(sources.store, sources.feed.head, filter),
  event: ({ position }) => eventDetail(sources, position),
  journey: ({ position }) => journeyOf(sources, position),
  eventById: ({ id }) => eventById(sources, id),
  correlated: (input) => correlatedEvents(sources, input),
  emit: (input) => emit(sources, input),
})

type FailureRun =
  | 'failures'
  | 'deadLetters'
  | 'deadLetter'
  | 'redrive'
  | 'edit'
  | 'undoEdit'
  | 'discard'
  | 'retryNow'
  | 'interventions'
const failureRuns = (sources: AdminSources): Pick<Runs, FailureRun> => ({
  failures: (filter) => failureGroups(sources, filter),
  deadLetters: (filter) => failedDeliveries(sources, filter),
  deadLetter: (address) => failedDelivery(sources, address),
  redrive: (input) => redriveSelected(sources, input),
  edit: (input) => edit(sources, input),
  undoEdit: (input) => undo(sources, input),
  discard: (input) => discardSelected(sources, input),
  retryNow: (input) => retrySelected(sources, input),
  interventions: (filter) => interventionPage(sources, filter),
})

type ReplayRun = 'planReplay' | 'replay' | 'replays' | 'replayStatus' | 'pauseReplay' | 'resumeReplay' | 'cancelReplay'
const replayRuns = (sources: AdminSources): Pick<Runs, ReplayRun> => ({
  planReplay: (request) => planReplay(sources, request),
  replay: (input) => startReplayOf(sources, input),
  replays: (filter) => replayViews(sources, filter),
  replayStatus: ({ id }) => replayOf(sources, id),
  pauseReplay: (input) => moveReplay(sources, 'pause', input),
  resumeReplay: (input) => moveReplay(sources, 'resume', input),
  cancelReplay: (input) => moveReplay(sources, 'cancel', input),
})

const logRuns = (sources: AdminSources): Pick<Runs, 'log' | 'restoreArchive'> => {
  const archives = new Archives(sources)
  return {
    log: () => logView(sources, archives),
    restoreArchive: async ({ file }) => {
      await archives.restore(file)
      return logView(sources, archives)
    },
  }
}

type JobRun =
  | 'jobs'
  | 'job'
  | 'retryJob'
  | 'cancelJob'
  | 'schedules'
  | 'runSchedule'
  | 'pauseSchedule'
  | 'resumeSchedule'
const jobRuns = (sources: AdminSources): Pick<Runs, JobRun> => ({
  jobs: (filter) => jobPage(sources, filter),
  job: (input) => jobById(sources, input),
  retryJob: (input) => retryJobBy(sources, input),
  cancelJob: (input) => cancelJobBy(sources, input),
  schedules: () => scheduleViews(sources),
  runSchedule: (input) => moveSchedule(sources, 'run', input),
  pauseSchedule: (input) => moveSchedule(sources, 'pause', input),
  resumeSchedule: (input) => moveSchedule(sources, 'resume', input),
})

async function setPaused(
  sources: AdminSources,
  rates: Rates,
  input: { consumer: string } & Signed,
  paused: boolean,
): Promise<ConsumerView> {
  const meant = await pauseConsumer(sources, input, paused)
  const views = await consumerViews(sources, rates)
  const view = views.find(({ name, kind }) => name === meant.name && kind === meant.kind)
  if (view === undefined) throw new PlatformError('INTERNAL', `${input.consumer} is not among the consumers`)
  return view
}

async function emit(
  { parts, publish }: AdminSources,
  { event: name, data }: Operations['emit']['input'],
): Promise<{ id: string }> {
  const event = parts.events.find((known) => known.name === name)
  if (event === undefined) {
    const known = parts.events.map((each) => each.name).join(', ')
    throw new PlatformError('NOT_FOUND', `the app has no event "${name}"`, {
      hint: known === '' ? 'It declares no events.' : `Its events: ${known}.`,
    })
  }
  return { id: await publish(event, data) }
}
