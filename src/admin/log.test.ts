import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { writeArchive } from '../retention/archive.ts'
import { testApp } from '../testing/test-app.ts'

const noted = event('noted', { n: t.int() })

test('the log is described, and an archived file comes back', async () => {
  const archive = await mkdtemp(join(tmpdir(), 'millrace-archive-'))
  onTestFinished(() => rm(archive, { recursive: true }))
  const follow = on('follow', noted, () => {})
  await using running = await testApp(app('shop', [noted, follow], { retention: { archive } }))
  await Promise.all(Array.from({ length: 30 }, (_, n) => running.publish(noted, { n })))
  await running.settled()
  await writeArchive(running.store, archive, 0, 20)
  expect(await running.operate('log', {})).toMatchObject({
    head: 30,
    tail: 0,
    kept: 0,
    slowest: { consumer: 'follow', position: expect.any(Number) },
    archives: ['events-000000000000001-000000000000020.ndjson.gz'],
  })

  // As the retention leaves it.
  await running.sql`update millrace.sequencer set tail = 20`
  await expect(running.operate('restoreArchive', { file: '../../etc/passwd' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  await running.operate('restoreArchive', { file: 'events-000000000000001-000000000000020.ndjson.gz' })
  await expect.poll(async () => (await running.operate('log', {})).restoring).toMatchObject({ events: 20, done: true })
  expect(await running.operate('log', {})).toMatchObject({ tail: 20, kept: 20, restored: 20 })
})

test('an app without an archive says so', async () => {
  await using running = await testApp(app('shop', [noted]))
  expect(await running.operate('log', {})).not.toHaveProperty('archives')
  await expect(running.operate('restoreArchive', { file: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    hint: 'The app names no archive.',
  })
})
