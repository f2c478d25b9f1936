import { text } from 'node:stream/consumers'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const emitVerb: Verb = verb({
  name: 'emit',
  summary: 'Publish an event to the running app',
  args: {
    event: { type: 'positional', description: 'Name of the event, such as order.placed', required: true },
    data: {
      type: 'positional',
      valueHint: 'json',
      description: 'Its data as JSON, or - to read standard input',
      required: true,
    },
    ...appArg,
  },
  async run({ event, data, app }, { environment, out }) {
    const given = data === '-' ? await text(process.stdin) : data
    const { id } = await callApp(runningApp(environment.directoryOf(app)), 'emit', { event, data: parse(given) })
    if (out.json) out.data({ id })
    else out.line(`${out.paint('green', '✔')} ${event} ${id}`)
    return 0
  },
})

function parse(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch (error) {
    throw new PlatformError('INPUT_MALFORMED', `the data is not JSON: ${messageOf(error)}`, {
      cause: error,
      hint: `Quote it for the shell: millrace emit order.placed '{"film": 1}'`,
    })
  }
}
