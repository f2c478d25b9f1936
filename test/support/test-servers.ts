import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startTestServer, type TestServer } from '../../src/testing/test-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    testServers: string
  }
}

/** One Postgres for each worker of a test run, started when its first test asks for a database. */
export default async function serveTestServers(project: TestProject): Promise<() => Promise<void>> {
  const servers = new Map<string, Promise<TestServer>>()
  const http = createServer(async ({ url: worker = '' }, response) => {
    const server = servers.get(worker) ?? startTestServer()
    servers.set(worker, server)
    try {
      response.end((await server).url)
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  project.provide('testServers', `http://127.0.0.1:${(http.address() as AddressInfo).port}`)
  return async () => {
    http.close()
    await Promise.allSettled([...servers.values()].map(async (server) => (await server).close()))
  }
}
