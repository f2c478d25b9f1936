import { errorRecord, type Issue, PlatformError } from '../kernel/errors.ts'
import { type CodePlace, placeOf } from './code-place.ts'
import { type Output, withoutSecrets } from './output.ts'
import { UsageError } from './usage-error.ts'

/** An error as the CLI shows it and sends it between its processes. */
export interface ShownError {
  code: string
  message: string
  hint?: string
  /** Where in the app it arose. */
  place?: CodePlace
  issues?: readonly Issue[]
  stack?: string
  cause?: ShownError
}

/** @param folder of the app: places in its code are looked for */
export function showError(error: unknown, folder?: string): ShownError {
  const { code, message, stack } = errorRecord(error)
  const place = folder === undefined ? undefined : placeOf(error, folder)
  const hint = error instanceof PlatformError || error instanceof UsageError ? error.hint : undefined
  const cause = error instanceof Error && error.cause !== undefined ? showError(error.cause) : undefined
  return {
    code: error instanceof UsageError ? 'USAGE' : code,
    message: withoutSecrets(place?.message ?? message),
    ...(hint !== undefined && { hint: withoutSecrets(hint) }),
    ...(place !== undefined && { place }),
    ...(error instanceof PlatformError && error.issues.length > 0 && { issues: error.issues }),
    ...(stack !== undefined && { stack: withoutSecrets(stack) }),
    ...(cause !== undefined && { cause }),
  }
}

/** Message, place, code and hint; with `--verbose` also stack and causes. */
export function printError(out: Output, error: ShownError): void {
  if (out.json) {
    const { stack, ...told } = error
    out.note(JSON.stringify({ error: out.verbose ? { ...told, stack } : told }))
    return
  }
  for (const line of errorLines(out, error)) out.note(line)
}

function errorLines(out: Output, { code, message, hint, place, issues = [], stack, cause }: ShownError): string[] {
  const [first = '', ...rest] = message.split('\n')
  const lines = [`${out.paint('red', '✘')} ${first}  ${out.paint('dim', code)}`, ...rest.map((line) => `  ${line}`)]
  if (place !== undefined)
    lines.push(`  at ${place.file}:${place.line}${place.column === undefined ? '' : `:${place.column}`}`)
  for (const line of place?.excerpt ?? []) lines.push(`  ${out.paint('dim', line)}`)
  for (const issue of issues) lines.push(`  ${issue.path === '' ? '(the whole)' : issue.path}  ${issue.message}`)
  for (const line of hint?.split('\n') ?? []) lines.push(`  ${out.paint('cyan', '→')} ${line}`)
  if (out.verbose && stack !== undefined) lines.push(out.paint('dim', stack))
  if (out.verbose && cause !== undefined)
    lines.push('  because of', ...errorLines(out, cause).map((line) => `  ${line}`))
  return lines
}
