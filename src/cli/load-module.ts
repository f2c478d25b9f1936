import { pathToFileURL } from 'node:url'

let ready: Promise<unknown> | undefined

/**
 * Imports a file of the app, TypeScript too: Node strips the types itself where it can (22.18 and later), tsx does it on
 * older ones.
 */
export async function loadModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  await prepareLoading()
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>
}

/** Takes a moment; a process that will load an app later can have it done before. */
export async function prepareLoading(): Promise<void> {
  const strips = 'typescript' in process.features && process.features.typescript !== false
  // Our own sources run only where something strips types already.
  if (strips || import.meta.url.endsWith('.ts')) return
  ready ??= Promise.all([
    import('tsx/esm/api').then(({ register }) => register()),
    import('tsx/cjs/api').then(({ register }) => register()),
  ])
  await ready
}
