import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { operatorName } from './confirm.ts'
import { parsePlace } from './delivery-words.ts'
import { readData } from './read-data.ts'
import { UsageError } from './usage-error.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const editVerb: Verb = verb({
  name: 'edit',
  summary: 'Give the handler other data for a failed delivery; the log stays as it is',
  args: {
    what: { type: 'positional', required: true, valueHint: 'what', description: 'The delivery: consumer#position' },
    data: {
      type: 'positional',
      required: false,
      valueHint: 'json',
      description: 'The new data as JSON, or - to read standard input',
    },
    undo: { type: 'boolean', description: 'Give it what the log says again' },
    redrive: { type: 'boolean', description: 'Redrive it at once' },
    replay: { type: 'string', valueHint: 'id', description: 'A delivery of this replay' },
    reason: { type: 'string', valueHint: 'text', description: 'Why; it is kept with your name' },
    ...appArg,
  },
  async run({ what, data, undo, redrive, replay, reason, app }, { environment, out }) {
    const place = { ...parsePlace(what), ...(replay === undefined ? {} : { replay }) }
    if ((data === undefined) !== (undo === true))
      throw new UsageError('an edit needs the new data, or --undo', `Such as: millrace edit ${what} '{"film": 1}'`)
    const address = runningApp(environment.directoryOf(app))
    const signed = { by: operatorName(), ...(reason === undefined ? {} : { reason }) }
    const edited =
      data === undefined
        ? await callApp(address, 'undoEdit', { ...place, ...signed })
        : await callApp(address, 'edit', {
            ...place,
            ...signed,
            data: await readData(data, `millrace edit ${what} '{"film": 1}'`),
            ...(redrive === true ? { redrive } : {}),
          })
    if (out.json) out.data(edited)
    else out.line(`${out.paint('green', '✔')} ${what} ${undo === true ? 'as in the log' : 'edited'}, ${edited.state}`)
    return 0
  },
})
