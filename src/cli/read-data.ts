import { text } from 'node:stream/consumers'
import { messageOf, PlatformError } from '../kernel/errors.ts'

/** Data given as JSON, or `-` to read it from standard input. Throws INPUT_MALFORMED. */
export async function readData(given: string, example: string): Promise<unknown> {
  const json = given === '-' ? await text(process.stdin) : given
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new PlatformError('INPUT_MALFORMED', `the data is not JSON: ${messageOf(error)}`, {
      cause: error,
      hint: `Quote it for the shell: ${example}`,
    })
  }
}
