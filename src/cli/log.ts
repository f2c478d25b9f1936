import { setTimeout as sleep } from 'node:timers/promises'
import type { LogView } from '../admin/contract.ts'
import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { count } from './confirm.ts'
import type { Output } from './output.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const logVerb: Verb = verb({
  name: 'log',
  summary: 'Show how much the log holds, who holds it back, and what was archived',
  args: appArg,
  async run({ app }, { environment, out }) {
    show(out, await callApp(runningApp(environment.directoryOf(app)), 'log', {}))
    return 0
  },
})

const lookMs = 250

export const restoreVerb: Verb = verb({
  name: 'restore',
  summary: 'Bring an archived file back to its place in the log, for replays',
  args: {
    file: { type: 'positional', required: true, description: 'Its name, as `millrace log` shows it' },
    ...appArg,
  },
  async run({ file, app }, { environment, out }) {
    const address = runningApp(environment.directoryOf(app))
    let { restoring } = await callApp(address, 'restoreArchive', { file })
    while (restoring?.done === false) {
      await sleep(lookMs)
      ;({ restoring } = await callApp(address, 'log', {}))
      if (restoring?.done === false) out.note(`${restoring.events} events so far`)
    }
    if (out.json) out.data(restoring)
    else if (restoring?.error === undefined)
      out.line(`${out.paint('green', '✔')} ${count(restoring?.events ?? 0, 'event is', 'events are')} back`)
    else out.line(`${out.paint('red', '✖')} ${restoring.error}`)
    return restoring?.error === undefined ? 0 : 1
  },
})

function show(out: Output, log: LogView): void {
  if (out.json) {
    out.data(log)
    return
  }
  const { head, tail, kept, restored, bytes, partitions, slowest, archives } = log
  out.line(`positions ${tail + 1} to ${head} in ${count(partitions.length, 'partition', 'partitions')}, ${mib(bytes)}`)
  if (tail > 0)
    out.line(`of what was dropped before, ${count(kept, 'event', 'events')} kept, ${restored} of them restored`)
  if (slowest !== undefined) out.line(`${slowest.consumer} is furthest behind, at ${slowest.position}`)
  for (const { from, full, lastPosition, bytes: size } of partitions)
    out.line(out.paint('dim', `  events_${from}  ${full ? `full, up to ${lastPosition}` : 'open'}, ${mib(size)}`))
  for (const file of archives ?? []) out.line(`  ${file}`)
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
