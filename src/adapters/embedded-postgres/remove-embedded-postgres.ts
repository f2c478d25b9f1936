import { rm } from 'node:fs/promises'
import { fileFailure } from './_failure.ts'
import { holdFolder } from './_folder-lock.ts'
import { placeElsewhere } from './_home.ts'

/**
 * Deletes a folder with all its data, also the data that root keeps elsewhere for it. Deletes nothing and throws
 * POSTGRES_HELD while an app has it open.
 */
export async function removeEmbeddedPostgres(directory: string): Promise<void> {
  try {
    const lock = await holdFolder(directory)
    try {
      const place = await placeElsewhere(directory)
      if (place !== undefined) await rm(place, { recursive: true, force: true })
    } finally {
      await lock.release()
    }
    await rm(directory, { recursive: true, force: true })
  } catch (error) {
    throw fileFailure(error, directory)
  }
}
