import { JsonView } from '../ui/json-view.tsx'

interface Field {
  name: string
  type: string
  required: boolean
  description: string | undefined
}

/** The fields of a JSON Schema at a glance, and the schema itself below. */
export function SchemaView({ schema, version }: { schema: unknown; version: number }) {
  const fields = fieldsOf(schema)
  return (
    <>
      {fields.length > 0 && (
        <section className="border-b border-line px-4 py-3">
          <h2 className="label-caps mb-1.5">Schema, version {version}</h2>
          <table className="w-full text-left">
            <thead className="sr-only">
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Type</th>
                <th scope="col">Meaning</th>
              </tr>
            </thead>
            <tbody>
              {fields.map(({ name, type, required, description }) => (
                <tr key={name} className="align-baseline">
                  <th scope="row" className="mono py-0.5 pr-4 font-normal whitespace-nowrap text-ink">
                    {name}
                    {!required && <span className="text-ink-3"> optional</span>}
                  </th>
                  <td className="mono pr-4 text-accent">{type}</td>
                  <td className="w-full text-ink-2">{description}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <JsonView title="JSON Schema" what="schema" value={schema} levels={1} />
    </>
  )
}

function fieldsOf(schema: unknown): Field[] {
  if (!isObject(schema) || !isObject(schema['properties'])) return []
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.entries(schema['properties']).map(([name, property]) => ({
    name,
    type: typeOf(property),
    required: required.includes(name),
    description:
      isObject(property) && typeof property['description'] === 'string' ? property['description'] : undefined,
  }))
}

function typeOf(property: unknown): string {
  if (!isObject(property)) return 'any'
  if (Array.isArray(property['anyOf'])) return property['anyOf'].map(typeOf).join(' | ')
  if ('const' in property) return JSON.stringify(property['const'])
  if (Array.isArray(property['enum'])) return property['enum'].map((value) => JSON.stringify(value)).join(' | ')
  return typeof property['type'] === 'string' ? property['type'] : 'any'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
