import type { Check } from '../admin/contract.ts'
import type { Output } from './output.ts'
import { appArg, type Verb, type VerbContext, verb } from './verb.ts'

export const doctorVerb: Verb = verb({
  name: 'doctor',
  summary: 'Look for what is wrong and say how to mend it',
  args: appArg,
  run: ({ app }, context) => printDoctor(app, context),
})

/** Resolves with the exit code: 1 when something is an error. */
export async function printDoctor(folder: string, { environment, out }: VerbContext): Promise<number> {
  const { doctorChecks } = await import('./doctor-checks.ts')
  let errors = 0
  let warnings = 0
  for await (const check of doctorChecks(folder, environment)) {
    if (check.status === 'error') errors += 1
    if (check.status === 'warning') warnings += 1
    if (out.json) out.data(check)
    else printCheck(out, check)
  }
  if (!out.json) out.line(`\n  ${errors} errors, ${warnings} warnings`)
  return errors > 0 ? 1 : 0
}

function printCheck(out: Output, { name, status, message, mend }: Check): void {
  const marks = { ok: out.paint('green', '✔'), warning: out.paint('yellow', '!'), error: out.paint('red', '✘') }
  out.line(`  ${marks[status]} ${name.padEnd(10)} ${message}`)
  for (const line of mend?.split('\n') ?? []) out.line(`    ${''.padEnd(10)} ${out.paint('cyan', '→')} ${line}`)
}
