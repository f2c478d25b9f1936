import type { OperationName, Operations } from '../admin/contract.ts'
import { operationKinds } from '../admin/operation-kinds.ts'
import { type ErrorCode, errorCatalog, type Issue, messageOf, PlatformError } from '../kernel/errors.ts'
import type { AppAddress } from './app-file.ts'

const callMs = 10_000

/** Asks a running app for one of its operations. Throws the error that it answers with, fields and hint included. */
export async function callApp<N extends OperationName>(
  app: AppAddress,
  name: N,
  input: Operations[N]['input'],
): Promise<Operations[N]['output']> {
  const command = operationKinds[name] === 'command'
  const url = new URL(`/_/api/${name}`, app.url)
  if (!command)
    for (const [key, value] of Object.entries(input)) if (value !== undefined) url.searchParams.set(key, String(value))
  const response = await reach(url, app, AbortSignal.timeout(callMs), command ? JSON.stringify(input) : undefined)
  return (await response.json()) as Operations[N]['output']
}

/** Sends a request as one who is signed in; a refusal is thrown. */
export async function reach(url: URL, app: AppAddress, signal: AbortSignal, body?: string): Promise<Response> {
  const headers = {
    authorization: `Bearer ${app.token}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  let response: Response
  try {
    response = await fetch(url, { headers, signal, ...(body !== undefined && { method: 'POST', body }) })
  } catch (error) {
    if (signal.aborted && signal.reason === error && !(error instanceof DOMException && error.name === 'TimeoutError'))
      throw error
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new PlatformError('APP_NOT_RUNNING', `the app at ${app.url} does not answer: ${messageOf(cause)}`, {
      cause: error,
      hint: 'Look whether it runs, with `millrace doctor`.',
    })
  }
  if (!response.ok) throw problemOf(await response.text(), response.status)
  return response
}

/** The error in a problem document (RFC 9457). */
function problemOf(text: string, status: number): PlatformError {
  const problem = parse(text)
  const { code, detail, hint, issues } = problem
  const known = typeof code === 'string' && Object.hasOwn(errorCatalog, code) ? (code as ErrorCode) : 'INTERNAL'
  return new PlatformError(known, typeof detail === 'string' ? detail : `the app answered with status ${status}`, {
    ...(typeof hint === 'string' && { hint }),
    ...(Array.isArray(issues) && { issues: issues as Issue[] }),
  })
}

function parse(text: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {} // an answer of someone else, told by its status
  }
}
