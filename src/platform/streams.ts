import type { ConsumerDeps } from '../delivery/consumer.ts'
import { StreamRuntime } from '../streams/stream-runtime.ts'
import type { Parts } from './app-definition.ts'

/** Lets the declared streams be used; returns how to end that. */
export function openStreams(
  { streams }: Parts,
  platform: object,
  { store, logger, published }: ConsumerDeps,
  expected: () => void,
): () => Promise<void> {
  const runtime = new StreamRuntime({ store, logger, committed: published, expected })
  for (const { binding } of streams) binding.bind(platform, runtime)
  return async () => {
    await runtime.close()
    for (const { binding } of streams) binding.unbind(platform)
  }
}
