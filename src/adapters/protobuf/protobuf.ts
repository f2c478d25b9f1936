import {
  type DescMessage,
  fromBinary,
  fromJson,
  isMessage,
  type JsonValue,
  type MessageShape,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import type { DataFormat } from '../../events/data-format.ts'
import { messageOf, PlatformError } from '../../kernel/errors.ts'
import { describeMessage } from './_describe-message.ts'
import { messageGaps } from './_message-gaps.ts'

/**
 * Keeps the data of an event as Protobuf: `event('order.paid', protobuf(OrderPaidSchema), { key: 'order' })`, where
 * `OrderPaidSchema` is what protoc-gen-es generated. Needs `@bufbuild/protobuf`, version 2.
 *
 * Data is a message (`create(OrderPaidSchema, { … })`), or its ProtoJSON form where it comes from outside. The log keeps
 * the bytes as Base64 inside JSON, so filters on data and text search do not see into it; filter with a function instead.
 * Fields that the schema does not know are kept. An event of an older version is read with this message, as Protobuf
 * means it, and then goes through the upcasters. Compatibility is that of the wire: by field numbers and types.
 * @throws INPUT_INVALID when data is published that is no such message
 */
export function protobuf<Desc extends DescMessage>(message: Desc): DataFormat<MessageShape<Desc>> {
  const parse = (value: unknown, what: string): MessageShape<Desc> => {
    if (isMessage(value, message)) return value
    return refusing(what, () => fromJson(message, value as JsonValue))
  }
  return {
    kind: 'format',
    name: 'protobuf',
    contentType: 'application/protobuf',
    schema: { jsonSchema: undefined, outputSchema: undefined, parse, parseText: parse },
    contract: describeMessage(message),
    gaps: messageGaps,
    encode: (data) => refusing(message.typeName, () => toBinary(message, data)),
    decode: (bytes) => fromBinary(message, bytes),
    toJson: (data) => toJson(message, data),
  }
}

function refusing<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const message = messageOf(cause)
    throw new PlatformError('INPUT_INVALID', `${what}: ${message}`, { cause, issues: [{ path: '', message }] })
  }
}
