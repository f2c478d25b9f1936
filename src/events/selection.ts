import type { CompiledFilter } from './filter.ts'
import type { LogRecord } from './record.ts'

/** Which events of the log a follower takes. */
export interface Selection {
  wants(record: LogRecord): boolean
  /** Whether events of a type can be wanted at all. */
  means(type: string): boolean
  /** The same as a condition on the row `e` of the log, for what is read from the store. */
  readonly sql: SqlCondition
}

/** A condition and its values, written for the place of its first parameter. */
export type SqlCondition = (first: number) => { text: string; values: readonly unknown[] }

export interface SelectionParts {
  readonly types: readonly string[]
  /** Names with wildcards, see `matching`. */
  readonly patterns?: readonly string[]
  readonly filter?: CompiledFilter | undefined
}

/** By type alone, where nothing else is asked. */
export function selectTypes(types: readonly string[]): Selection {
  const [only] = types
  return {
    wants: types.length === 1 ? ({ type }) => type === only : ({ type }) => types.includes(type),
    means: (type) => types.includes(type),
    sql: (first) => ({ text: `e.type = any($${first})`, values: [types] }),
  }
}

export function select({ types, patterns = [], filter }: SelectionParts): Selection {
  const byType = patterns.length === 0 ? selectTypes(types) : selectPatterns(types, patterns)
  if (filter === undefined) return byType
  return {
    wants: (record) => byType.wants(record) && filter.test(record),
    means: byType.means,
    sql(first) {
      const { text, values } = byType.sql(first)
      const all = [...values]
      const condition = filter.sql((value) => {
        all.push(value)
        return `$${first + all.length - 1}`
      })
      return { text: `${text} and ${condition}`, values: all }
    },
  }
}

/** Types are few; this keeps a log of made-up ones from filling the memory. */
const mostKnown = 10_000

function selectPatterns(types: readonly string[], patterns: readonly string[]): Selection {
  const source = patterns.map((pattern) => `(${regexOf(pattern)})`).join('|')
  const regex = new RegExp(source)
  const known = new Map<string, boolean>()
  const means = (type: string): boolean => {
    let wanted = known.get(type)
    if (wanted === undefined) {
      wanted = types.includes(type) || regex.test(type)
      if (known.size >= mostKnown) known.clear()
      known.set(type, wanted)
    }
    return wanted
  }
  return {
    wants: ({ type }) => means(type),
    means,
    sql: (first) => ({ text: `(e.type = any($${first}) or e.type ~ $${first + 1})`, values: [types, source] }),
  }
}

/** A colon stands only in types of captured changes, which no pattern means. */
function regexOf(pattern: string): string {
  const segments = pattern.split('.').map((segment) => {
    if (segment === '*') return '[^.:]+'
    return segment === '>' ? '[^:]+' : segment
  })
  return `^${segments.join('[.]')}$`
}
