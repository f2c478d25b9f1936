import { expect, inject } from 'vitest'
import { useTestServer } from '../../src/testing/test-postgres.ts'

// A new replication slot waits for every open transaction of the server, in all databases: what captures has one of its own.
const capturing = expect.getState().testPath?.includes('/src/sync/') ?? false

if (!capturing)
  useTestServer(async () => {
    const answer = await fetch(`${inject('testServers')}/${process.env['VITEST_POOL_ID']}`)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`no Postgres for the tests: ${text}`)
    return text
  })
