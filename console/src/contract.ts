/** What the console reads: the same contract that the server, the CLI and scripts use. */
export type * from '../../src/admin/contract.ts'
