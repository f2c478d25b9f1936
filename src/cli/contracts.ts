import type { ContractReport } from '../events/contracts/registry.ts'
import type { Environment } from './environment.ts'
import { findApp } from './find-app.ts'
import { loadApp } from './load-app.ts'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'
import { appArg, type Verb, verb } from './verb.ts'

export const contractsVerb: Verb = verb({
  name: 'contracts',
  summary: 'Compare the events of an app with what its database has registered; check ends with 1 when one breaks',
  args: {
    action: { type: 'positional', required: true, description: 'check: compare and change nothing' },
    ...appArg,
  },
  async run({ action, app }, { environment, out }) {
    if (action !== 'check') throw new UsageError(`contracts does not know "${action}"`, 'There is: contracts check.')
    const place = findApp(app)
    const url = await databaseOf(environment, environment.directoryOf(place.folder))
    const { checkAppContracts } = await import('../platform/check-contracts.ts')
    const reports = await checkAppContracts(await loadApp(place), url)
    for (const report of reports) print(out, report)
    const breaking = reports.filter(({ status }) => status === 'breaking').length
    if (!out.json) out.line(`\n  ${reports.length} events, ${breaking} breaking`)
    return breaking > 0 ? 1 : 0
  },
})

/** Throws POSTGRES_NOT_RUNNING when it is our own and does not run. */
async function databaseOf({ databaseUrl, directUrl }: Environment, directory: string): Promise<string> {
  if (databaseUrl !== undefined) return directUrl ?? databaseUrl
  const { attachEmbeddedPostgres } = await import('../adapters/embedded-postgres/attach-embedded-postgres.ts')
  return (await attachEmbeddedPostgres(directory)).url
}

function print(out: Output, { event, version, status, breaks, text }: ContractReport): void {
  if (out.json) {
    const told = breaks.map(({ against, direction, gaps }) => ({ against: against.version, direction, gaps }))
    out.data({ event, version, status, breaks: told })
    return
  }
  const marks = { known: out.paint('green', '✔'), new: out.paint('cyan', '+'), breaking: out.paint('red', '✘') }
  const words = { known: 'as registered', new: 'new, and it fits', breaking: 'breaks' }
  out.line(`  ${marks[status]} ${event} ${version}  ${words[status]}`)
  if (text !== '') out.line(text.replace(/^/gm, '    '))
}
