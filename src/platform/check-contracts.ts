import { type ContractReport, checkContracts } from '../events/contracts/registry.ts'
import { silentLogger } from '../kernel/logger.ts'
import { openStore } from '../store/store.ts'
import type { AppDefinition } from './app-definition.ts'

/**
 * Looks how the events of an app stand to the contracts registered in a database, without starting the app and without
 * changing anything. In a database that Millrace has not used yet everything is new.
 */
export async function checkAppContracts({ parts }: AppDefinition, url: string): Promise<ContractReport[]> {
  const store = openStore({ url, connections: 1, logger: silentLogger, applicationName: 'millrace contracts' })
  try {
    const [{ known } = { known: false }] = await store.sql<{ known: boolean }>`
      select to_regclass('millrace.contracts') is not null as known`
    if (known) return await checkContracts(store.sql, parts.events)
    return parts.events.map(({ name, version }) => ({ event: name, version, status: 'new', breaks: [], text: '' }))
  } finally {
    await store.close()
  }
}
