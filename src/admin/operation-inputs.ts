import { type Fields, t } from '../kernel/schema.ts'
import type { OperationName, Operations } from './contract.ts'

/** How an operation is called: a query changes nothing and has flat fields only. */
export interface OperationInput<I> {
  readonly kind: 'query' | 'command'
  readonly fields: { readonly [K in keyof I]-?: Fields[string] }
}

type Inputs = { readonly [N in OperationName]: OperationInput<Operations[N]['input']> }

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
] as const

export const operationInputs: Inputs = {
  overview: { kind: 'query', fields: none },
  topology: { kind: 'query', fields: none },
  events: {
    kind: 'query',
    fields: {
      type: t.optional(t.string()),
      key: t.optional(t.string()),
      text: t.optional(t.string()),
      before: t.optional(position),
      limit,
    },
  },
  event: { kind: 'query', fields: { position } },
  journey: { kind: 'query', fields: { position } },
  eventById: { kind: 'query', fields: { id: t.uuid() } },
  correlated: { kind: 'query', fields: { correlation: name, after: t.optional(t.int({ minimum: 0 })), limit } },
  consumers: { kind: 'query', fields: none },
  failures: { kind: 'query', fields: { consumer: text, replay: text } },
  deadLetters: {
    kind: 'query',
    fields: {
      consumer: text,
      signature: text,
      type: text,
      key: t.optional(t.string()),
      replay: text,
      state: t.optional(t.oneOf('retrying', 'held', 'dead')),
      cursor: text,
      limit,
    },
  },
  deadLetter: { kind: 'query', fields: address },
  redrive: { kind: 'command', fields: { ...selection, ...signed, dryRun } },
  edit: { kind: 'command', fields: { ...address, ...signed, data: t.json(), redrive: t.optional(t.boolean()) } },
  undoEdit: { kind: 'command', fields: { ...address, ...signed } },
  discard: {
    kind: 'command',
    fields: { ...selection, by: signed.by, reason: t.string({ minLength: 1, maxLength: 2000 }), dryRun },
  },
  retryNow: { kind: 'command', fields: { ...selection, ...signed, dryRun } },
  pauseConsumer: { kind: 'command', fields: { consumer: name, ...signed } },
  resumeConsumer: { kind: 'command', fields: { consumer: name, ...signed } },
  interventions: {
    kind: 'query',
    fields: {
      consumer: text,
      position: t.optional(position),
      action: t.optional(t.oneOf(...actions)),
      before: t.optional(position),
      limit,
    },
  },
  planReplay: { kind: 'query', fields: replay },
  replay: { kind: 'command', fields: { ...replay, ...signed } },
  replays: { kind: 'query', fields: { consumer: text } },
  replayStatus: { kind: 'query', fields: { id: name } },
  pauseReplay: { kind: 'command', fields: { id: name, ...signed } },
  resumeReplay: { kind: 'command', fields: { id: name, ...signed } },
  cancelReplay: { kind: 'command', fields: { id: name, ...signed } },
  emit: { kind: 'command', fields: { event: t.string(), data: t.json() } },
}
