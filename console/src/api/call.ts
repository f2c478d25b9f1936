import type { OperationName, Operations } from '../contract.ts'

/** Where the server keeps the operations, beside the console itself. */
export const apiUrl: string = `${import.meta.env.BASE_URL}api`

/** What the server said went wrong (RFC 9457), or that it could not be reached. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string | undefined
  readonly issues: readonly unknown[]

  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `the server answered ${status}`)
    this.name = 'ApiProblem'
    this.status = status
    this.code = body.code ?? `HTTP_${status}`
    this.hint = body.hint
    this.issues = body.issues ?? []
  }
}

interface ProblemBody {
  title?: string
  detail?: string
  code?: string
  hint?: string
  issues?: unknown[]
}

type QueryName = Exclude<OperationName, 'emit'>

/** Reads one operation. Absent inputs are left out of the address. */
export async function read<N extends QueryName>(
  name: N,
  input: Operations[N]['input'],
  signal?: AbortSignal,
): Promise<Operations[N]['output']> {
  return await answer(() => fetch(operationPath(name, input), { ...(signal && { signal }) }))
}

/** The address of a read, for fetching and for "copy as curl". */
export function operationPath<N extends QueryName>(name: N, input: Operations[N]['input']): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(input)) {
    if (value !== undefined && value !== '') params.set(key, String(value))
  }
  const text = params.toString()
  return `${apiUrl}/${name}${text === '' ? '' : `?${text}`}`
}

/** Does one operation that changes something. */
export async function act<N extends OperationName>(
  name: N,
  input: Operations[N]['input'],
): Promise<Operations[N]['output']> {
  return await answer(() =>
    fetch(`${apiUrl}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    }),
  )
}

async function answer<T>(send: () => Promise<Response>): Promise<T> {
  const response = await reach(send)
  const text = await response.text()
  if (!response.ok) throw new ApiProblem(response.status, problemBody(text))
  return JSON.parse(text) as T
}

async function reach(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send()
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiProblem(0, {
      code: 'UNREACHABLE',
      detail: 'The app does not answer.',
      hint: 'Look at the terminal it runs in; start it again with: npx millrace dev',
    })
  }
}

function problemBody(text: string): ProblemBody {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? (body as ProblemBody) : {}
  } catch {
    return {}
  }
}
