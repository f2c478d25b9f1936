import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CloudEvent, checkCloudEvent } from '../../events/cloudevents/cloud-event.ts'
import { cloudEventsFromHttp, cloudEventsToHttp, cloudEventToHttp } from '../../events/cloudevents/http-binding.ts'
import { messageOf, PlatformError } from '../../kernel/errors.ts'
import { httpScenarios } from './http-scenarios.ts'

/** One official case, ready to be run; `run` throws when it fails. */
export interface OfficialCase {
  readonly name: string
  run(): void
}

export interface OfficialCases {
  readonly cases: readonly OfficialCase[]
  /** What lies in the folder and is not run, with the reason. */
  readonly skipped: readonly string[]
}

/**
 * The official cases for CloudEvents of a folder: `json/*.json` of the repository cloudevents/conformance (format tests) and
 * the feature files of its HTTP binding. Throws INPUT_INVALID for what is no such folder.
 */
export function readCloudEventsCases(folder: string): OfficialCases {
  const inFolder = (name: string): string[] => (existsSync(join(folder, name)) ? readdirSync(join(folder, name)) : [])
  const json = inFolder('json').filter((name) => name.endsWith('.json'))
  const features = inFolder('.').filter((name) => name.endsWith('.feature'))
  const known = features.filter((name) => name.startsWith('http'))
  if (json.length + known.length === 0) {
    throw new PlatformError('INPUT_INVALID', `there are no cases for CloudEvents in ${folder}`, {
      hint: 'It must hold json/*.json or http-protocol-binding.feature of github.com/cloudevents/conformance.',
    })
  }
  return {
    cases: [
      ...json.sort().flatMap((name) => formatCases(name, readFileSync(join(folder, 'json', name), 'utf8'))),
      ...known.sort().flatMap((name) => httpCases(name, readFileSync(join(folder, name), 'utf8'))),
    ],
    skipped: [
      ...inFolder('protobuf').map((name) => `protobuf/${name}: the Protobuf format of CloudEvents is not spoken`),
      ...features.filter((name) => !known.includes(name)).map((name) => `${name}: only the HTTP binding is spoken`),
    ],
  }
}

interface FormatTest {
  id: string
  /** Cases with the same one are the same event, written differently. */
  sampleId?: string
  event?: unknown
  batch?: unknown
}

function formatCases(file: string, text: string): OfficialCase[] {
  const { testType, tests } = JSON.parse(text) as { testType: string; tests: FormatTest[] }
  return tests.map((test) => ({ name: `json/${file} ${test.id}`, run: () => runFormatTest(testType, test, tests) }))
}

function runFormatTest(testType: string, test: FormatTest, all: readonly FormatTest[]): void {
  switch (testType) {
    case 'ValidSingleEvent': {
      const read = readStructured(test.event)
      checkRoundTrips(read)
      for (const same of all.filter(({ sampleId }) => sampleId === test.sampleId))
        assert.deepEqual(comparable(read), comparable(readStructured(same.event)), `differs from ${same.id}`)
      return
    }
    case 'InvalidSingleEvent':
      assertRefused(() => readStructured(test.event))
      return
    case 'ValidBatch': {
      const read = readBatch(test.batch)
      assert.deepEqual(read, (test.batch as unknown[]).map(checkedAlone))
      assert.deepEqual(cloudEventsFromHttp(cloudEventsToHttp(read)), { mode: 'batch', events: read })
      return
    }
    case 'InvalidBatch':
      assertRefused(() => readBatch(test.batch))
      return
    default:
      throw new Error(`an unknown kind of test: ${testType}`)
  }
}

const checkedAlone = (event: unknown): CloudEvent => checkCloudEvent(event)

function readStructured(event: unknown): CloudEvent {
  const message = {
    headers: { 'content-type': 'application/cloudevents+json' },
    body: Buffer.from(JSON.stringify(event)),
  }
  const [read] = cloudEventsFromHttp(message).events
  assert.ok(read)
  return read
}

function readBatch(batch: unknown): CloudEvent[] {
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  return cloudEventsFromHttp({ headers, body: Buffer.from(JSON.stringify(batch)) }).events
}

function checkRoundTrips(event: CloudEvent): void {
  assert.deepEqual(cloudEventsFromHttp(cloudEventToHttp(event, 'structured')), { mode: 'structured', events: [event] })
  const { mode, events } = cloudEventsFromHttp(cloudEventToHttp(event, 'binary'))
  assert.equal(mode, 'binary')
  assert.deepEqual(events.map(texts), [texts(event)])
}

/** In headers every attribute is text. */
function texts(event: CloudEvent): object {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [name, name === 'data' ? value : String(value)]),
  )
}

/** Times count by the moment they name. */
function comparable(event: CloudEvent): object {
  return event.time === undefined ? event : { ...event, time: new Date(event.time).toISOString() }
}

function assertRefused(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (error instanceof PlatformError && error.status === 400) return
    throw new Error(`it was refused with another error: ${messageOf(error)}`, { cause: error })
  }
  throw new Error('it was accepted')
}

function httpCases(file: string, text: string): OfficialCase[] {
  return httpScenarios(text).map(({ name, request, attributes, data }) => ({
    name: `${file} ${name}`,
    run() {
      const [event] = cloudEventsFromHttp(request).events
      assert.ok(event)
      const { data: read, ...rest } = event
      assert.deepEqual(rest, attributes)
      assert.deepEqual(read, data)
    },
  }))
}
