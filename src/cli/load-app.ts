import { relative } from 'node:path'
import { PlatformError } from '../kernel/errors.ts'
import type { AppDefinition } from '../platform/app-definition.ts'
import type { AppPlace } from './find-app.ts'
import { loadModule } from './load-module.ts'

/** Imports the app; whatever its code throws comes through. Throws APP_INVALID when the file exports no app. */
export async function loadApp({ folder, file }: AppPlace): Promise<AppDefinition> {
  const { default: exported } = await loadModule(file)
  if (isApp(exported)) return exported
  const name = relative(folder, file)
  throw new PlatformError(
    'APP_INVALID',
    exported === undefined ? `${name} has no default export` : `the default export of ${name} is not an app`,
    {
      hint: `End ${name} with: export default app('my-app', [ … ])`,
    },
  )
}

const isApp = (value: unknown): value is AppDefinition =>
  typeof value === 'object' && value !== null && Reflect.get(value, 'kind') === 'app' && Reflect.has(value, 'parts')
