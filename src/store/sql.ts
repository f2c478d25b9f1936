import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'

/** The slice of a `pg` client that Millrace calls; a client or pool of the user's fits. */
export interface Queryable {
  query<R extends QueryResultRow>(config: QueryConfig, values?: unknown[]): Promise<QueryResult<R>>
}

/**
 * The same client, its queries one after another: handlers that run side by side share a transaction, and so may the
 * statements of one handler. What is no plain query (a stream of COPY) is passed on as it is.
 */
export function oneByOne(client: Queryable): Queryable {
  let last: Promise<unknown> | undefined
  const query = (config: QueryConfig, values?: unknown[]): Promise<QueryResult> => {
    if ('submit' in config) return client.query(config, values)
    const result = last === undefined ? client.query(config, values) : last.then(() => client.query(config, values))
    const ended: Promise<unknown> = result.then(ignore, ignore).then(() => {
      if (last === ended) last = undefined
    })
    last = ended
    return result
  }
  return { query: query as Queryable['query'] }
}

const ignore = (): void => undefined

/** A row as it comes back when the caller names no type. */
export type Row = Record<string, unknown>

/**
 * Runs a statement written as a template: every `${value}` becomes a parameter, never text.
 * ``const [film] = await sql<Film>`select * from films where id = ${id}` ``
 */
export interface Sql {
  <R extends object = Row>(strings: TemplateStringsArray, ...values: unknown[]): Promise<R[]>
  /** Runs given text with `$1` parameters, for statements composed at run time. */
  query<R extends object = Row>(text: string, values?: readonly unknown[]): Promise<R[]>
}

/** A fixed statement with the name under which the server keeps it prepared. */
export interface Statement {
  readonly name: string
  readonly text: string
}

const templateTexts = new WeakMap<TemplateStringsArray, string>()

/** `sql` over a way to run one query; the source is asked for each statement, so it may open its transaction late. */
export function makeSql(source: () => Queryable | Promise<Queryable>): Sql {
  const run = async <R extends object>(config: QueryConfig): Promise<R[]> => {
    const target = source()
    const client = target instanceof Promise ? await target : target
    return (await client.query<R & QueryResultRow>(config)).rows
  }
  const sql = <R extends object>(strings: TemplateStringsArray, ...values: unknown[]): Promise<R[]> =>
    run<R>({ text: templateText(strings), values })
  return Object.assign(sql, {
    query: <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> =>
      run<R>({ text, values: [...values] }),
  }) as Sql
}

function templateText(strings: TemplateStringsArray): string {
  let text = templateTexts.get(strings)
  if (text === undefined) {
    text = strings.reduce((out, part, i) => `${out}$${i}${part}`)
    templateTexts.set(strings, text)
  }
  return text
}

/** Quotes a name for use in SQL text. */
export function quoteName(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}
