import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

// The cases here are our own: they show that the runner tells right from wrong.
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cases-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: string[]): Promise<{ code: number; out: string }> {
  const script = join(import.meta.dirname, '../../../scripts/conformance.mjs')
  const { NODE_OPTIONS: _, ...env } = process.env
  return new Promise((resolve) =>
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr }),
    ),
  )
}

const good = { specversion: '1.0', id: '1', source: '/s', type: 't' }
const feature = (type: string): string => `Feature: HTTP
  Scenario Outline: Binary (<contentType>)
    Given an HTTP request
        """
        POST / HTTP/1.1
        ce-specversion: 1.0
        ce-id: 1
        ce-source: /s
        ce-type: ${type}
        Content-Type: <contentType>

        { "a": 1 }
        """
    When parsed as HTTP request
    Then the attributes are:
        | key             | value         |
        | specversion     | 1.0           |
        | id              | 1             |
        | source          | /s            |
        | type            | t             |
        | datacontenttype | <contentType> |
    And the data is equal to the following JSON:
        """
        {"a": 1}
        """
    Examples:
    | contentType                     |
    | application/json                |
    | application/json; charset=utf-8 |
`

test('cases are run and counted', async () => {
  mkdirSync(join(folder, 'json'))
  const tests = [{ id: 'good', sampleId: 'a', event: good }]
  writeFileSync(join(folder, 'json/valid.json'), JSON.stringify({ testType: 'ValidSingleEvent', tests }))
  writeFileSync(join(folder, 'http-protocol-binding.feature'), feature('t'))
  expect(await run('cloudevents', folder)).toEqual({
    code: 0,
    out: expect.stringContaining('cloudevents: 3 cases, 3 passed, 0 failed; 0 files not run'),
  })
})

test('what fails is named and ends with 1', async () => {
  mkdirSync(join(folder, 'json'))
  const tests = [{ id: 'notBad', event: good }]
  writeFileSync(join(folder, 'json/invalid.json'), JSON.stringify({ testType: 'InvalidSingleEvent', tests }))
  writeFileSync(join(folder, 'http-protocol-binding.feature'), feature('other'))
  const { code, out } = await run('cloudevents', folder)
  expect(code).toBe(1)
  expect(out).toContain('✘ json/invalid.json notBad\n  it was accepted')
  expect(out).toContain('✘ http-protocol-binding.feature Binary (application/json)')
  expect(out).toContain('3 cases, 0 passed, 3 failed')
})

test('without a folder it says that nothing was run, and how to get one', async () => {
  const { code, out } = await run('cloudevents')
  expect(code).toBe(2)
  expect(out).toContain('nothing was run')
  expect(out).toContain('git clone https://github.com/cloudevents/conformance')
  expect((await run('cloudevents', folder)).code).toBe(2)
  expect((await run('other')).out).toContain('Usage')
})
