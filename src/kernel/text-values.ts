import type { TSchema } from 'typebox'

/**
 * Turns text from a path or a query into the values that a schema asks for. Strict: text that is not plainly such a value
 * stays text, so that the schema refuses it ('1.5' is no integer, '' is no number).
 */
export function valueFromText(schema: TSchema, value: unknown): unknown {
  const properties = record(schema, 'properties')
  if (properties !== undefined && isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, part(own(properties, name), text)]))
  }
  const items = record(schema, 'items')
  // `?tag=a` is a list of one where a list is asked for.
  if (items !== undefined) return (Array.isArray(value) ? value : [value]).map((text) => part(items, text))
  return typeof value === 'string' ? scalar(schema, value) : value
}

function part(schema: unknown, text: unknown): unknown {
  return isRecord(schema) ? valueFromText(schema as TSchema, text) : text
}

function scalar(schema: TSchema, text: string): unknown {
  const options: unknown = Reflect.get(schema, 'anyOf')
  if (Array.isArray(options)) {
    for (const option of options) {
      const value = part(option, text)
      if (value !== text) return value
    }
    return text
  }
  const constant: unknown = Reflect.get(schema, 'const')
  if (constant !== undefined) return String(constant) === text ? constant : text
  return byType(Reflect.get(schema, 'type'), text)
}

function byType(type: unknown, text: string): unknown {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'null') return text === 'null' ? null : text
  if (type === 'integer' && /^-?\d+$/.test(text)) {
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : text
  }
  if (type === 'number' && /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : text
  }
  return text
}

function record(schema: TSchema, key: string): Record<string, unknown> | undefined {
  const value: unknown = Reflect.get(schema, key)
  return isRecord(value) ? value : undefined
}

function own(properties: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(properties, name) ? properties[name] : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
