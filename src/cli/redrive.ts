import type { RedriveResult } from '../admin/contract.ts'
import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { confirm, count, operatorName } from './confirm.ts'
import { actingArgs, parseSelection, selectionArgs, whatArg } from './delivery-words.ts'
import type { Output } from './output.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const redriveVerb: Verb = verb({
  name: 'redrive',
  summary: 'Let dead letters be handled again, in the order of the log for each key',
  args: { what: whatArg, ...selectionArgs, ...actingArgs, ...appArg },
  async run(args, { environment, out }) {
    const selection = parseSelection(args)
    const address = runningApp(environment.directoryOf(args.app))
    const plan = await callApp(address, 'redrive', { ...selection, dryRun: true })
    if (args['dry-run'] === true || plan.redriven === 0) {
      show(out, plan, 'would be redriven')
      return 0
    }
    const question = `Redrive ${count(plan.redriven, 'delivery', 'deliveries')} of ${count(plan.keys, 'key')}?${late(plan)}`
    if (plan.redriven > 1 && !(await confirm(out, question, args.yes))) return 1
    const reason = args.reason === undefined ? {} : { reason: args.reason }
    show(out, await callApp(address, 'redrive', { ...selection, ...reason, by: operatorName() }), 'redriven')
    return 0
  },
})

function show(out: Output, result: RedriveResult, what: string): void {
  if (out.json) out.data(result)
  else
    out.line(
      `${out.paint('green', '✔')} ${count(result.redriven, 'delivery', 'deliveries')} of ${count(result.keys, 'key')} ${what}.${late(result)}`,
    )
}

function late({ afterNewer, unchecked }: RedriveResult): string {
  const parts = [
    ...(afterNewer > 0 ? [`${afterNewer} of them after newer events of their key`] : []),
    ...(unchecked > 0 ? [`of ${unchecked} that is not known`] : []),
  ]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
