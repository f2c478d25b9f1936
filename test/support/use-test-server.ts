import { inject } from 'vitest'
import { useTestServer } from '../../src/testing/test-postgres.ts'

useTestServer(async () => {
  const answer = await fetch(`${inject('testServers')}/${process.env['VITEST_POOL_ID']}`)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`no Postgres for the tests: ${text}`)
  return text
})
