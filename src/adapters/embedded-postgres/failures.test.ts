import { execFileSync } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  ask,
  isRoot,
  kill,
  preparedFolder,
  processesIn,
  serverPid,
  temporaryFolder,
  until,
  withPostgres,
} from '../../../test/support/embedded-postgres.ts'
import { findPackage } from './_binaries.ts'
import { openEmbeddedPostgres } from './open-embedded-postgres.ts'

test('a platform without programs is named with its package and the way around', () => {
  expect(() => findPackage('linux', 'riscv64')).toThrow(
    expect.objectContaining({
      code: 'POSTGRES_MISSING',
      message: expect.stringContaining('@embedded-postgres/linux-riscv64'),
      hint: expect.stringContaining('DATABASE_URL'),
    }),
  )
  expect(() => findPackage('win32', 'x64')).toThrow(
    expect.objectContaining({ code: 'POSTGRES_MISSING', hint: expect.stringContaining('WSL') }),
  )
})

describe('what is wrong', () => {
  test('a folder that is not absolute', async () => {
    await expect(openEmbeddedPostgres({ directory: '.millrace' })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  test('data of another version is left alone and named', async () => {
    const directory = await temporaryFolder()
    await mkdir(join(directory, 'postgres'))
    for (const [version, mend] of [
      ['15', /dumping/],
      ['19', /newer/],
    ] as const) {
      await writeFile(join(directory, 'postgres', 'PG_VERSION'), `${version}\n`)
      await expect(openEmbeddedPostgres({ directory })).rejects.toMatchObject({
        code: 'POSTGRES_DATA_OUTDATED',
        message: expect.stringContaining(`Postgres ${version}`),
        hint: expect.stringMatching(mend),
      })
    }
  })

  test('a folder with other things where the data should be', async () => {
    const directory = await temporaryFolder()
    await mkdir(join(directory, 'postgres'))
    await writeFile(join(directory, 'postgres', 'diary.txt'), 'mine')
    await expect(openEmbeddedPostgres({ directory })).rejects.toMatchObject({
      code: 'POSTGRES_START_FAILED',
      hint: expect.stringContaining('mv '),
    })
    expect(await readFile(join(directory, 'postgres', 'diary.txt'), 'utf8')).toBe('mine')
  })

  test('a setting that Postgres refuses is quoted', async () => {
    const directory = await preparedFolder()
    await expect(openEmbeddedPostgres({ directory, fast: true, settings: { work_mem: 'much' } })).rejects.toMatchObject(
      {
        code: 'POSTGRES_START_FAILED',
        message: expect.stringContaining('work_mem'),
        hint: expect.stringContaining('postgres.log'),
      },
    )
    expect(await processesIn(directory)).toEqual([])
  })

  test('a lost password is replaced by a new one', async () => {
    const directory = await preparedFolder()
    const before = await withPostgres({ directory }, async ({ url }) => url)
    await rm(join(directory, 'postgres.password'))
    await withPostgres({ directory }, async ({ url }) => {
      expect(url).not.toBe(before)
      expect(await ask(url, 'select 1')).toBe(1)
      await expect(ask(before, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    })
  })

  test('a wrong password file is named with its mend', async () => {
    const directory = await preparedFolder()
    await withPostgres({ directory }, async () => {})
    await writeFile(join(directory, 'postgres.password'), 'guess\n')
    await expect(openEmbeddedPostgres({ directory, fast: true })).rejects.toMatchObject({
      message: expect.stringContaining('postgres.password'),
    })
  })

  test.skipIf(isRoot)('a folder that cannot be written', async () => {
    const folder = await temporaryFolder(0o555)
    await expect(openEmbeddedPostgres({ directory: join(folder, '.millrace') })).rejects.toMatchObject({
      code: 'POSTGRES_DISK',
      hint: expect.stringContaining('MILLRACE_DIR'),
    })
  })
})

describe.skipIf(!isRoot || !canMount())('a full disk', () => {
  test('at the first start is named, and the start succeeds once there is room', async () => {
    const disk = await smallDisk(20)
    const directory = join(disk, '.millrace')
    await expect(openEmbeddedPostgres({ directory })).rejects.toMatchObject({
      code: 'POSTGRES_DISK',
      message: expect.stringContaining(disk),
      hint: expect.stringContaining('Free some space'),
    })
    execFileSync('mount', ['-o', 'remount,size=100m', disk])
    const postgres = await openEmbeddedPostgres({ directory })
    expect(await ask(postgres.url, 'select 1')).toBe(1)
    await postgres.close()
  })

  test('at a later start is named', async () => {
    const disk = await smallDisk(100)
    const directory = join(disk, '.millrace')
    await (await openEmbeddedPostgres({ directory, fast: true })).close()
    await fill(disk)
    await expect(openEmbeddedPostgres({ directory, fast: true })).rejects.toMatchObject({ code: 'POSTGRES_DISK' })
  })

  test('while it runs stops Postgres until there is room again; what was committed is there', async () => {
    const disk = await smallDisk(100)
    const directory = join(disk, '.millrace')
    const complaints: string[] = []
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_: object, message: string) => void complaints.push(message),
    }
    const postgres = await openEmbeddedPostgres({ directory, fast: true, logger })
    await ask(postgres.url, 'create table kept as select 1 as n')
    await fill(disk)
    kill(await serverPid(directory))
    await until('it complains', () => complaints.some((complaint) => complaint.includes('is full')))
    await rm(join(disk, 'filler'))
    await until('it is back', () =>
      ask(postgres.url, 'select n from kept').then(
        (n) => n === 1,
        () => false,
      ),
    )
    await postgres.close()
  })
})

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function smallDisk(megabytes: number): Promise<string> {
  const disk = await temporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', disk])
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', disk])
  })
  return disk
}

async function fill(disk: string): Promise<void> {
  await writeFile(join(disk, 'filler'), Buffer.alloc(100 * 1024 * 1024)).catch(() => {})
}
