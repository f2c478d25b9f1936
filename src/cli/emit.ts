import { runningApp } from './app-file.ts'
import { callApp } from './call-app.ts'
import { readData } from './read-data.ts'
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
    const given = await readData(data, `millrace emit order.placed '{"film": 1}'`)
    const { id } = await callApp(runningApp(environment.directoryOf(app)), 'emit', { event, data: given })
    if (out.json) out.data({ id })
    else out.line(`${out.paint('green', '✔')} ${event} ${id}`)
    return 0
  },
})
