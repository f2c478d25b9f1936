/** Something that is not well, with the statement or command that mends it. */
export interface Problem {
  level: 'warning' | 'error'
  what: string
  mend: string
}

/** One thing looked at. */
export type Finding = { level: 'ok'; what: string } | Problem
