import type { FailedDelivery, FailedDeliveryDetail, FailureGroup } from '../admin/contract.ts'
import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { count } from './confirm.ts'
import { parsePlace, parsePlaces } from './delivery-words.ts'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const failedVerb: Verb = verb({
  name: 'failed',
  summary: 'Show what could not be handled, in groups, or the deliveries of one',
  args: {
    what: {
      type: 'positional',
      required: false,
      valueHint: 'what',
      description: 'A group as this command names it, or consumer#position',
    },
    consumer: { type: 'string', valueHint: 'name', description: 'Only those of one consumer, or index:<name>' },
    replay: { type: 'string', valueHint: 'id', description: 'Only those of one replay' },
    limit: { type: 'string', valueHint: 'n', default: '50', description: 'Show so many deliveries of a group' },
    ...appArg,
  },
  async run({ what, consumer, replay, limit, app }, { environment, out }) {
    if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 500)
      throw new UsageError(`--limit is "${limit}"`, 'Use 1 to 500.')
    const address = runningApp(environment.directoryOf(app))
    const chosen = { ...(consumer === undefined ? {} : { consumer }), ...(replay === undefined ? {} : { replay }) }
    if (what === undefined) showGroups(out, await callApp(address, 'failures', chosen))
    else if (parsePlaces(what) !== undefined)
      showDelivery(out, await callApp(address, 'deadLetter', { ...chosen, ...parsePlace(what) }))
    else {
      const filter = { ...chosen, signature: what, limit: Number(limit) }
      const { deliveries, total } = await callApp(address, 'deadLetters', filter)
      showDeliveries(out, deliveries, total)
    }
    return 0
  },
})

function showGroups(out: Output, groups: readonly FailureGroup[]): void {
  if (out.json) {
    for (const group of groups) out.data(group)
    return
  }
  if (groups.length === 0) out.line(`${out.paint('green', '✔')} Nothing has failed.`)
  for (const group of groups) {
    const { signature, consumer, replay, dead, retrying, held, code, message, types, example } = group
    const numbers = [
      ...(dead > 0 ? [out.paint('red', `${dead} dead`)] : []),
      ...(retrying > 0 ? [out.paint('yellow', `${retrying} retrying`)] : []),
      ...(held > 0 ? [`${held} held`] : []),
    ].join(', ')
    const where = replay === null ? consumer : `${consumer} (replay ${replay})`
    out.line(`${out.paint('bold', signature)}  ${where}  ${numbers}  ${out.paint('dim', types.join(', '))}`)
    out.line(`  ${oneLine(`${code}: ${message}`)}`)
    out.line(out.paint('dim', `  last ${group.lastFailedAt}, such as ${consumer}#${example.position}`))
  }
}

function showDeliveries(out: Output, deliveries: readonly FailedDelivery[], total: number): void {
  if (out.json) {
    for (const delivery of deliveries) out.data(delivery)
    return
  }
  for (const { consumer, position, type, key, state, attempts, edited, error } of deliveries) {
    const key_ = key === null ? '' : ` ${out.paint('bold', oneLine(key))}`
    const mark = state === 'dead' ? out.paint('red', 'dead') : out.paint('yellow', state)
    const notes = `${count(attempts, 'try', 'tries')}${edited ? ', edited' : ''}`
    out.line(`${consumer}#${position}  ${mark}  ${type}${key_}  ${out.paint('dim', notes)}`)
    if (error !== undefined) out.line(`  ${oneLine(`${error.code}: ${error.message}`)}`)
  }
  out.line(out.paint('dim', `${deliveries.length} of ${count(total, 'delivery', 'deliveries')}`))
}

function showDelivery(out: Output, delivery: FailedDeliveryDetail): void {
  if (out.json) {
    out.data(delivery)
    return
  }
  const { consumer, position, type, key, state, data, edit, error, tries, heldBehind } = delivery
  out.line(
    `${out.paint('bold', `${consumer}#${position}`)}  ${state}  ${type}${key === null ? '' : ` ${oneLine(key)}`}`,
  )
  out.line(`data     ${JSON.stringify(data)}`)
  if (edit !== undefined) out.line(`edited   ${JSON.stringify(edit.data)}  by ${edit.by}, ${edit.at}`)
  if (error !== undefined) out.line(`error    ${oneLine(`${error.code}: ${error.message}`)}`)
  for (const line of error?.stack?.split('\n') ?? []) out.line(out.paint('dim', `         ${oneLine(line)}`))
  for (const each of tries) out.line(`try ${each.attempt}    ${each.at}  ${oneLine(each.message)}`)
  if (delivery.retryAt !== undefined) out.line(`next     ${delivery.retryAt}`)
  if (heldBehind.length > 0) out.line(`held     ${heldBehind.map((at) => `#${at}`).join(' ')}`)
}

/** Errors and keys come from anywhere: they must not move the cursor. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ')
