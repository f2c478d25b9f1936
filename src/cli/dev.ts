import { findApp } from './find-app.ts'
import { readLoad } from './load-companion.ts'
import { runArgs } from './start.ts'
import { type Verb, verb } from './verb.ts'

export const devVerb: Verb = verb({
  name: 'dev',
  summary: 'Run an app and reload it on save; a version that does not load leaves the last good one running',
  args: runArgs,
  async run({ folder, load }, context) {
    const given = folder ?? '.'
    const place = findApp(given)
    const perSecond = readLoad(load, place)
    const { DevSupervisor } = await import('./dev-supervisor.ts')
    return await new DevSupervisor({ given, place, perSecond }, context).run()
  },
})
