import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { operatorName } from './confirm.ts'
import { appArg, type Verb, type VerbContext, verb } from './verb.ts'

const args = {
  consumer: {
    type: 'positional',
    required: true,
    description: 'Name of the consumer, index:<name>, or replay:<id>',
  },
  reason: { type: 'string', valueHint: 'text', description: 'Why; it is kept with your name' },
  ...appArg,
} as const

interface Given {
  consumer: string
  reason?: string | undefined
  app: string
}

export const pauseVerb: Verb = verb({
  name: 'pause',
  summary: 'Let a consumer stand still on all processes; nothing is lost meanwhile',
  args,
  run: (given, context) => move(given, context, true),
})

export const resumeVerb: Verb = verb({
  name: 'resume',
  summary: 'Let a paused consumer or a stopped replay go on',
  args,
  run: (given, context) => move(given, context, false),
})

async function move({ consumer, reason, app }: Given, { environment, out }: VerbContext, pause: boolean) {
  const address = runningApp(environment.directoryOf(app))
  const signed = { by: operatorName(), ...(reason === undefined ? {} : { reason }) }
  const id = /^replay:(.+)$/.exec(consumer)?.[1]
  const view =
    id === undefined
      ? await callApp(address, pause ? 'pauseConsumer' : 'resumeConsumer', { consumer, ...signed })
      : await callApp(address, pause ? 'pauseReplay' : 'resumeReplay', { id, ...signed })
  if (out.json) out.data(view)
  else out.line(`${out.paint('green', '✔')} ${consumer} ${pause ? 'is paused' : 'goes on'}`)
  return 0
}
