import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'

/** A field as far as the wire knows it. */
export interface FieldContract {
  name: string
  /** A scalar type, `enum`, or the name of a message. */
  type: string
  shape: 'one' | 'list' | `map<${string}>`
  /** Proto2 only: a message without it cannot be read. */
  required: boolean
}

/** A message and all that it holds, by type name; the fields by number. */
export interface MessageContract {
  message: string
  messages: Record<string, Record<string, FieldContract>>
}

export function describeMessage(message: DescMessage): MessageContract {
  const messages: MessageContract['messages'] = {}
  const add = (each: DescMessage): void => {
    if (each.typeName in messages) return
    const fields: Record<string, FieldContract> = {}
    messages[each.typeName] = fields
    for (const field of each.fields) {
      fields[field.number] = describeField(field)
      if (field.message !== undefined) add(field.message)
    }
  }
  add(message)
  return { message: message.typeName, messages }
}

/** `LEGACY_REQUIRED` of the features of Protobuf editions. */
const legacyRequired = 3

function describeField(field: DescField): FieldContract {
  const { name, presence } = field
  const required = Number(presence) === legacyRequired
  const type = field.message?.typeName ?? (field.enum === undefined ? scalarName(field.scalar) : 'enum')
  if (field.fieldKind === 'map') return { name, type, shape: `map<${scalarName(field.mapKey)}>`, required }
  return { name, type, shape: field.fieldKind === 'list' ? 'list' : 'one', required }
}

const scalarName = (type: ScalarType | undefined): string =>
  type === undefined ? 'unknown' : ScalarType[type].toLowerCase()
