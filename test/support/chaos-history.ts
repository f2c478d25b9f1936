import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** `fail`: certainly not done. `unknown`: it may have been done or not, the answer never came. */
export type Outcome = 'ok' | 'fail' | 'unknown'

/** An event that somebody asked to be published. `op` is its own name, in its data. */
export interface AskedEvent {
  readonly op: string
  readonly type: string
  readonly key: string | null
  readonly outcome: Outcome
}

/** What one writer asked and was told. Times are microseconds of one clock for all processes of the machine. */
export interface Operation {
  readonly id: string
  readonly what: string
  readonly askedAt: number
  /** `null` when no answer came. */
  readonly toldAt: number | null
  readonly outcome: Outcome
  /** In the order in which they were asked for. */
  readonly events: readonly AskedEvent[]
  /** Whether each event left a row of its own in the same transaction. */
  readonly withRows: boolean
  /** False for what is published for later: it takes its place when it is due. */
  readonly atOnce: boolean
  /** What the answer said: a stream's revision, how many deliveries were changed. */
  readonly told: number | null
}

type Line =
  | { ask: string; what: string; at: number; events: Omit<AskedEvent, 'outcome'>[]; withRows: boolean; atOnce: boolean }
  | { told: string; at: number; outcome: Outcome; each: Record<string, Outcome>; value: number | null }

/** The clock of histories: monotonic, and the same in all processes (CLOCK_MONOTONIC). */
export const nowMicros = (): number => Number(process.hrtime.bigint() / 1000n)

export interface AskTerms {
  withRows?: boolean
  atOnce?: boolean
}

/**
 * The history that one process writes. Each line is one `write` to a file opened for appending, so a kill loses at most
 * lines that were never begun: whoever asked and has no answer there counts as `unknown`.
 */
export class History {
  readonly #file: number

  constructor(directory: string, name: string) {
    this.#file = openSync(join(directory, `${name}.history`), 'a')
  }

  ask(id: string, what: string, events: readonly Omit<AskedEvent, 'outcome'>[], terms: AskTerms = {}): void {
    const { withRows = false, atOnce = true } = terms
    this.#write({ ask: id, what, at: nowMicros(), events: [...events], withRows, atOnce })
  }

  /** @param each outcomes of events that differ from that of the whole, by `op` */
  told(id: string, outcome: Outcome, each: Record<string, Outcome> = {}, value: number | null = null): void {
    this.#write({ told: id, at: nowMicros(), outcome, each, value })
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}

/** All operations of all histories in a folder. */
export function readHistories(directory: string): Operation[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.history'))
    .flatMap((file) => operationsOf(readFileSync(join(directory, file), 'utf8')))
}

export function operationsOf(text: string): Operation[] {
  const lines = text.split('\n')
  lines.pop() // empty, or torn by a kill
  const operations = new Map<string, Operation>()
  for (const line of lines.map((each) => JSON.parse(each) as Line)) {
    if ('ask' in line) {
      const { ask: id, what, at, withRows, atOnce } = line
      const events = line.events.map((each) => ({ ...each, outcome: 'unknown' as const }))
      const open = { toldAt: null, outcome: 'unknown' as const, told: null }
      operations.set(id, { id, what, askedAt: at, events, withRows, atOnce, ...open })
      continue
    }
    const asked = operations.get(line.told)
    if (asked === undefined) throw new Error(`an answer to ${line.told}, which was never asked`)
    const events = asked.events.map((each) => ({ ...each, outcome: line.each[each.op] ?? line.outcome }))
    operations.set(asked.id, { ...asked, toldAt: line.at, outcome: line.outcome, events, told: line.value })
  }
  return [...operations.values()]
}
