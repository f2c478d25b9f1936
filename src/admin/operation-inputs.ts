import { type Fields, t } from '../kernel/schema.ts'
import type { OperationName, Operations } from './contract.ts'

type FieldsOf<I> = { readonly [K in keyof I]-?: Fields[string] }
type Inputs = { readonly [N in OperationName]: FieldsOf<Operations[N]['input']> }

const position = t.int({ minimum: 1 })
const limit = t.optional(t.int({ minimum: 1, maximum: 500 }))
const text = t.optional(t.string({ maxLength: 500 }))
const name = t.string({ minLength: 1, maxLength: 200 })
const dryRun = t.optional(t.boolean())
const none = {}

const signed = { by: t.optional(t.string({ maxLength: 200 })), reason: t.optional(t.string({ maxLength: 2000 })) }
const address = { consumer: name, position, replay: text }
const selection = {
  consumer: text,
  positions: t.optional(t.array(position)),
  signature: text,
  type: text,
  key: t.optional(t.string()),
  replay: text,
  all: t.optional(t.boolean()),
}
const replay = {
  consumer: name,
  fromPosition: t.optional(position),
  fromTime: t.optional(t.timestamp()),
  untilPosition: t.optional(position),
  untilTime: t.optional(t.timestamp()),
  correlation: text,
  key: t.optional(t.string()),
  type: text,
  rate: t.optional(t.number({ minimum: 0.01, maximum: 1_000_000 })),
  onFailure: t.optional(t.oneOf('dead-letter', 'stop')),
  request: text,
}
const actions = [
  'redrive',
  'edit',
  'undo-edit',
  'discard',
  'retry-now',
  'pause',
  'resume',
  'replay',
  'pause-replay',
  'resume-replay',
  'cancel-replay',
  'retry-job',
  'cancel-job',
  'run-schedule',
  'pause-schedule',
  'resume-schedule',
] as const

/** The fields of each input. Those of queries are flat: they stand in an address. */
export const operationInputs: Inputs = {
  overview: none,
  topology: none,
  events: {
    type: t.optional(t.string()),
    key: t.optional(t.string()),
    text: t.optional(t.string()),
    before: t.optional(position),
    limit,
  },
  event: { position },
  journey: { position },
  eventById: { id: t.uuid() },
  correlated: { correlation: name, after: t.optional(t.int({ minimum: 0 })), limit },
  consumers: none,
  failures: { consumer: text, replay: text },
  deadLetters: {
    consumer: text,
    signature: text,
    type: text,
    key: t.optional(t.string()),
    replay: text,
    state: t.optional(t.oneOf('retrying', 'held', 'dead')),
    cursor: text,
    limit,
  },
  deadLetter: address,
  redrive: { ...selection, ...signed, dryRun },
  edit: { ...address, ...signed, data: t.json(), redrive: t.optional(t.boolean()) },
  undoEdit: { ...address, ...signed },
  discard: { ...selection, by: signed.by, reason: t.string({ minLength: 1, maxLength: 2000 }), dryRun },
  retryNow: { ...selection, ...signed, dryRun },
  pauseConsumer: { consumer: name, ...signed },
  resumeConsumer: { consumer: name, ...signed },
  interventions: {
    consumer: text,
    position: t.optional(position),
    action: t.optional(t.oneOf(...actions)),
    before: t.optional(position),
    limit,
  },
  planReplay: replay,
  replay: { ...replay, ...signed },
  replays: { consumer: text },
  replayStatus: { id: name },
  pauseReplay: { id: name, ...signed },
  resumeReplay: { id: name, ...signed },
  cancelReplay: { id: name, ...signed },
  jobs: {
    name: text,
    state: t.optional(t.oneOf('waiting', 'running', 'done', 'dead', 'cancelled')),
    before: t.optional(t.uuid()),
    limit,
  },
  job: { id: t.uuid() },
  retryJob: { id: t.uuid(), ...signed },
  cancelJob: { id: t.uuid(), ...signed },
  schedules: none,
  runSchedule: { name, ...signed },
  pauseSchedule: { name, ...signed },
  resumeSchedule: { name, ...signed },
  log: none,
  restoreArchive: { file: name },
  emit: { event: t.string(), data: t.json() },
}
