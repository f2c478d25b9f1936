interface Column {
  name: string
  was: unknown
  is: unknown
}

/** What an update changed, column by column, where the log carries the row before. */
export function ChangeDiff({ data }: { data: unknown }) {
  const columns = changedColumns(data)
  if (columns.length === 0) return null
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="label-caps mb-1.5">Changed</h2>
      <dl className="mono grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {columns.map(({ name, was, is }) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="break-words">
              <del className="text-ink-3">{shown(was)}</del>
              <span aria-hidden="true" className="px-1.5 text-ink-3">
                →
              </span>
              <ins className="font-semibold no-underline">{shown(is)}</ins>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** The columns of an update that differ from the row before; none for anything else. */
export function changedColumns(data: unknown): Column[] {
  if (!isObject(data) || data['op'] !== 'update') return []
  const { before, row } = data
  if (!isObject(before) || !isObject(row)) return []
  return Object.entries(before)
    .filter(([name, was]) => name in row && JSON.stringify(row[name]) !== JSON.stringify(was))
    .map(([name, was]) => ({ name, was, is: row[name] }))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
