import type { Gap } from '../../events/contracts/gap.ts'
import type { FieldContract, MessageContract } from './_describe-message.ts'

/**
 * Where bytes written as the one message are misread as the other: fields are the same by number, so a number whose type
 * changed breaks; added and removed fields do not (Protobuf language guide, "Updating A Message Type").
 */
export function messageGaps(from: unknown, to: unknown): Gap[] {
  const [written, read] = [from as MessageContract, to as MessageContract]
  const seen = new Set<string>()
  const compare = (writtenName: string, readName: string, path: string): Gap[] => {
    const pair = `${writtenName}>${readName}`
    if (seen.has(pair)) return []
    seen.add(pair)
    const fields = written.messages[writtenName] ?? {}
    const known = read.messages[readName] ?? {}
    return [
      ...Object.entries(known).flatMap(([number, field]) =>
        field.required && fields[number]?.required !== true ? [required(`${path}/${field.name}`)] : [],
      ),
      ...Object.entries(fields).flatMap(([number, field]) => {
        const other = known[number]
        if (other === undefined) return []
        const at = `${path}/${other.name}`
        const isMessage = field.type in written.messages && other.type in read.messages
        if (field.shape !== other.shape || !(isMessage || fits(field.type, other.type)))
          return [misread(at, number, field, other)]
        return isMessage ? compare(field.type, other.type, at) : []
      }),
    ]
  }
  return compare(written.message, read.message, '')
}

/** Types that are read from each other without loss. */
const wider: Readonly<Record<string, readonly string[]>> = {
  int32: ['int64'],
  uint32: ['uint64', 'int64'],
  sint32: ['sint64'],
  bool: ['int32', 'int64', 'uint32', 'uint64'],
  enum: ['int32', 'int64'],
  string: ['bytes'],
}

const fits = (from: string, to: string): boolean => from === to || (wider[from] ?? []).includes(to)

function misread(path: string, number: string, from: FieldContract, to: FieldContract): Gap {
  const text = ({ type, shape }: FieldContract): string => (shape === 'one' ? type : `${shape} of ${type}`)
  return { path, from: text(from), to: text(to), why: `field number ${number} has another type` }
}

function required(path: string): Gap {
  return { path, from: 'optional', to: 'required', why: 'messages without it cannot be read' }
}
