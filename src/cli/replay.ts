import type { ReplayRequest, ReplayView } from '../admin/contract.ts'
import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { confirm, count, operatorName } from './confirm.ts'
import { actingArgs } from './delivery-words.ts'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const replayVerb: Verb = verb({
  name: 'replay',
  summary: 'Let a consumer handle events of the log once more',
  args: {
    consumer: { type: 'positional', required: true, description: 'Name of the consumer' },
    from: { type: 'string', valueHint: 'place', description: 'Position or time (ISO 8601) (Default: the beginning)' },
    until: { type: 'string', valueHint: 'place', description: 'Position or time (Default: the head)' },
    key: { type: 'string', valueHint: 'key', description: 'Only this key: a stream, a row' },
    type: { type: 'string', valueHint: 'type', description: 'Only this type; order.* takes all that begin so' },
    correlation: { type: 'string', valueHint: 'id', description: 'Only what one impulse set off' },
    rate: { type: 'string', valueHint: 'n', description: 'At most n events a second' },
    stop: { type: 'boolean', description: 'Stop at the first failure, instead of dead letters' },
    request: { type: 'string', valueHint: 'name', description: 'Given again, it starts no second replay' },
    ...actingArgs,
    ...appArg,
  },
  async run(args, { environment, out }) {
    const request = requestOf(args)
    const address = runningApp(environment.directoryOf(args.app))
    const plan = await callApp(address, 'planReplay', request)
    if (args['dry-run'] === true) {
      if (out.json) out.data(plan)
      else out.line(`${planned(plan)} would be handled again, from #${plan.fromPosition} to #${plan.untilPosition}.`)
      return 0
    }
    const question = `Let ${request.consumer} handle ${planned(plan)} again?`
    if ((plan.events > 1 || !plan.counted) && !(await confirm(out, question, args.yes))) return 1
    const signed = { by: operatorName(), ...(args.reason === undefined ? {} : { reason: args.reason }) }
    showReplay(out, await callApp(address, 'replay', { ...request, ...signed }))
    return 0
  },
})

function planned({ events, counted, keys }: { events: number; counted: boolean; keys: number }): string {
  return `${counted ? '' : 'at least '}${count(events, 'event')} of ${count(keys, 'key')}`
}

interface Given {
  consumer: string
  from?: string | undefined
  until?: string | undefined
  key?: string | undefined
  type?: string | undefined
  correlation?: string | undefined
  rate?: string | undefined
  stop?: boolean | undefined
  request?: string | undefined
}

function requestOf({ consumer, from, until, key, type, correlation, rate, stop, request }: Given): ReplayRequest {
  const [first, last] = [place('from', from), place('until', until)]
  if (rate !== undefined && !(Number(rate) > 0)) throw new UsageError(`--rate is "${rate}"`, 'Use a number above 0.')
  return {
    consumer,
    ...('position' in first ? { fromPosition: first.position } : 'time' in first ? { fromTime: first.time } : {}),
    ...('position' in last ? { untilPosition: last.position } : 'time' in last ? { untilTime: last.time } : {}),
    ...(key === undefined ? {} : { key }),
    ...(type === undefined ? {} : { type }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(rate === undefined ? {} : { rate: Number(rate) }),
    ...(stop === true ? { onFailure: 'stop' } : {}),
    ...(request === undefined ? {} : { request }),
  }
}

function place(flag: string, given: string | undefined): { position: number } | { time: string } | object {
  if (given === undefined) return {}
  if (/^[1-9]\d{0,14}$/.test(given)) return { position: Number(given) }
  const time = new Date(given)
  if (!Number.isNaN(time.getTime()) && /^\d{4}-\d{2}-\d{2}/.test(given)) return { time: time.toISOString() }
  throw new UsageError(`--${flag} is "${given}"`, 'Use a position, or a time such as 2026-07-01T12:00:00Z.')
}

export const replaysVerb: Verb = verb({
  name: 'replays',
  summary: 'Show replays and how far they are, or cancel one',
  args: {
    id: { type: 'positional', required: false, description: 'Only this one' },
    cancel: { type: 'boolean', description: 'End it for good' },
    reason: { type: 'string', valueHint: 'text', description: 'Why; it is kept with your name' },
    ...appArg,
  },
  async run({ id, cancel, reason, app }, { environment, out }) {
    if (cancel === true && id === undefined) throw new UsageError('--cancel needs the id of a replay')
    const address = runningApp(environment.directoryOf(app))
    if (id === undefined) {
      const replays = await callApp(address, 'replays', {})
      for (const replay of replays) showReplay(out, replay)
      if (replays.length === 0 && !out.json) out.line('There are no replays.')
      return 0
    }
    const signed = { by: operatorName(), ...(reason === undefined ? {} : { reason }) }
    const replay =
      cancel === true
        ? await callApp(address, 'cancelReplay', { id, ...signed })
        : await callApp(address, 'replayStatus', { id })
    showReplay(out, replay)
    return 0
  },
})

function showReplay(out: Output, replay: ReplayView): void {
  if (out.json) {
    out.data(replay)
    return
  }
  const { id, consumer, state, progress, handled, dead, speed, etaMs, fromPosition, untilPosition } = replay
  const parts = [
    out.paint('bold', `replay:${id}`),
    consumer,
    state,
    `${Math.floor(progress * 100)} %`,
    `#${fromPosition}–#${untilPosition}`,
    count(handled, 'event'),
    ...(dead > 0 ? [out.paint('red', `${dead} dead`)] : []),
    ...(state === 'running' ? [`${speed}/s`] : []),
    ...(etaMs === undefined ? [] : [`${Math.ceil(etaMs / 1000)} s to go`]),
  ]
  out.line(parts.join('  '))
}
