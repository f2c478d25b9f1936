import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { confirm, count, operatorName } from './confirm.ts'
import { actingArgs, parseSelection, selectionArgs, whatArg } from './delivery-words.ts'
import { UsageError } from './usage-error.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const discardVerb: Verb = verb({
  name: 'discard',
  summary: 'Give up failed deliveries for good, with a reason',
  args: { what: whatArg, ...selectionArgs, ...actingArgs, ...appArg },
  async run(args, { environment, out }) {
    const selection = parseSelection(args)
    const dryRun = args['dry-run'] === true
    if (args.reason === undefined && !dryRun)
      throw new UsageError('a discard needs its --reason', `Such as --reason 'orders of the load test'.`)
    const address = runningApp(environment.directoryOf(args.app))
    const reason = args.reason ?? 'dry run'
    const plan = await callApp(address, 'discard', { ...selection, reason, dryRun: true })
    const many = count(plan.discarded, 'delivery', 'deliveries')
    if (!dryRun && plan.discarded > 1 && !(await confirm(out, `Discard ${many} for good?`, args.yes))) return 1
    const result = dryRun ? plan : await callApp(address, 'discard', { ...selection, reason, by: operatorName() })
    if (out.json) out.data(result)
    else
      out.line(
        `${out.paint('green', '✔')} ${count(result.discarded, 'delivery', 'deliveries')} ${dryRun ? 'would be ' : ''}discarded.`,
      )
    return 0
  },
})
