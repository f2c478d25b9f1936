/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly hint: string

  constructor(message: string, hint = 'See `millrace --help`.') {
    super(message)
    this.hint = hint
  }
}
