import { ApiProblem } from '../api/call.ts'

/** What the server refused, with what is wrong at which place. */
export function Refused({ error }: { error: Error }) {
  const issues = error instanceof ApiProblem ? error.issues : []
  return (
    <>
      <p>{error.message}</p>
      <ul className="mono list-disc pl-5">
        {issues.map((issue) => (
          <li key={issueText(issue)}>{issueText(issue)}</li>
        ))}
      </ul>
    </>
  )
}

/** Issues name a field and say what is wrong with it; whatever their shape, both are shown. */
function issueText(issue: unknown): string {
  if (typeof issue !== 'object' || issue === null) return String(issue)
  return Object.values(issue).map(String).join(': ')
}
