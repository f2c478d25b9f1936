import { freeze } from './freeze.ts'
import type { CacheSource } from './source.ts'

const concurrency = 64

/** Values from a function of the user, one key at a time. */
export function outsideSource<V, Id>(load: (id: Id) => Promise<V | undefined> | V | undefined): CacheSource<V, Id> {
  return {
    maxKeys: 1,
    concurrency,
    async load(wanted) {
      const values = new Map<string, V>()
      for (const { key, id } of wanted) {
        const value = await load(id)
        if (value !== undefined) values.set(key, freeze(value))
      }
      return { values, snapshot: undefined }
    },
    snapshot: async () => undefined,
    blamesKey: () => false,
  }
}
