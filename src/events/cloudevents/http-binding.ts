import { messageOf, PlatformError } from '../../kernel/errors.ts'
import { type CloudEvent, checkCloudEvent } from './cloud-event.ts'
import { charsetOf, essenceOf, isJson, isText } from './media-type.ts'

/** How CloudEvents travel over HTTP: attributes as headers, all of it in the body, or several in one body. */
export type CloudEventsMode = 'binary' | 'structured' | 'batch'

/** An HTTP request or response, as far as CloudEvents are concerned. */
export interface HttpMessage {
  /** By name in lower case. */
  headers: Record<string, string>
  body: Uint8Array
}

const structuredType = 'application/cloudevents+json'
const batchType = 'application/cloudevents-batch+json'

/** One CloudEvent as an HTTP message (HTTP binding 1.0.2, sections 3.1 and 3.2). Throws INPUT_INVALID. */
export function cloudEventToHttp(event: CloudEvent, mode: 'binary' | 'structured' = 'binary'): HttpMessage {
  const checked = checkCloudEvent(event)
  if (mode === 'structured') return jsonMessage(structuredType, checked)
  const { data, data_base64: base64, datacontenttype: type, ...attributes } = checked
  const contentType = type ?? (data === undefined ? undefined : 'application/json')
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeHeader(String(value))])
  return {
    headers: {
      ...Object.fromEntries(headers),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    body: base64 === undefined ? bytesOf(data, contentType) : Buffer.from(base64, 'base64'),
  }
}

/** Several CloudEvents as one HTTP message (section 3.3). Throws INPUT_INVALID. */
export function cloudEventsToHttp(events: readonly CloudEvent[]): HttpMessage {
  return jsonMessage(
    batchType,
    events.map((event, i) => checkCloudEvent(event, `/${i}`)),
  )
}

/**
 * The CloudEvents of an HTTP message, in any of the three modes. An attribute that travels as a header is text: extensions
 * lose that they were numbers or booleans.
 * @throws INPUT_INVALID, INPUT_MALFORMED, MEDIA_TYPE_UNSUPPORTED
 */
export function cloudEventsFromHttp(message: {
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  body: Uint8Array
}): { mode: CloudEventsMode; events: CloudEvent[] } {
  const headers = lowerCased(message.headers)
  const contentType = headers.get('content-type')
  const essence = contentType === undefined ? '' : essenceOf(contentType)
  if (essence === batchType) return { mode: 'batch', events: readBatch(message.body, contentType) }
  if (essence === structuredType)
    return { mode: 'structured', events: [checkCloudEvent(parseJson(message.body, contentType))] }
  if (essence.startsWith('application/cloudevents'))
    throw unsupported(`CloudEvents in the format ${essence} are not understood`)
  if (![...headers.keys()].some((name) => name.startsWith('ce-')))
    throw unsupported('this is no CloudEvent: it has neither the content type nor the headers of one')
  return { mode: 'binary', events: [readBinary(headers, contentType, message.body)] }
}

function unsupported(message: string): PlatformError {
  return new PlatformError('MEDIA_TYPE_UNSUPPORTED', message, {
    hint: `Send ${structuredType}, ${batchType}, or the attributes as headers: ce-specversion, ce-id, ce-source, ce-type.`,
  })
}

function readBatch(body: Uint8Array, contentType: string | undefined): CloudEvent[] {
  const list = parseJson(body, contentType)
  if (Array.isArray(list)) return list.map((one, i) => checkCloudEvent(one, `/${i}`))
  throw new PlatformError('INPUT_INVALID', 'a batch of CloudEvents is a JSON array', {
    issues: [{ path: '', message: 'must be an array' }],
  })
}

function readBinary(
  headers: ReadonlyMap<string, string>,
  contentType: string | undefined,
  body: Uint8Array,
): CloudEvent {
  const attributes: [string, unknown][] = []
  for (const [name, value] of headers)
    if (name.startsWith('ce-')) attributes.push([name.slice(3), decodeHeader(name, value)])
  // Those travel as content type and body only.
  const own = attributes.filter(([name]) => !['datacontenttype', 'data', 'data_base64'].includes(name))
  const event = { ...Object.fromEntries(own), ...(contentType === undefined ? {} : { datacontenttype: contentType }) }
  return { ...checkCloudEvent(event), ...dataOf(contentType, body) }
}

function dataOf(contentType: string | undefined, body: Uint8Array): Pick<CloudEvent, 'data' | 'data_base64'> {
  if (body.length === 0) return {}
  if (isJson(contentType)) return { data: parseJson(body, contentType) }
  if (contentType !== undefined && isText(contentType)) return { data: textOf(body, contentType) }
  return { data_base64: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64') }
}

function bytesOf(data: unknown, contentType: string | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array()
  const isPlain = typeof data === 'string' && !isJson(contentType)
  return Buffer.from(isPlain ? data : JSON.stringify(data))
}

function jsonMessage(type: string, value: unknown): HttpMessage {
  return { headers: { 'content-type': `${type}; charset=utf-8` }, body: Buffer.from(JSON.stringify(value)) }
}

function parseJson(body: Uint8Array, contentType: string | undefined): unknown {
  const text = textOf(body, contentType)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PlatformError('INPUT_MALFORMED', `the body is no JSON: ${messageOf(cause)}`, { cause })
  }
}

function textOf(body: Uint8Array, contentType = ''): string {
  const charset = charsetOf(contentType) ?? 'utf-8'
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body)
  } catch (cause) {
    throw new PlatformError('INPUT_MALFORMED', `the body is no text in the charset ${charset}`, { cause })
  }
}

function lowerCased(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Map<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) found.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(', '))
  return found
}

/** Percent-encodes what is not printable ASCII, and space, quote and percent (HTTP binding 1.0.2, section 3.1.3.2). */
function encodeHeader(text: string): string {
  return text.replace(/[^!#$&-~]+/gu, (run) =>
    [...Buffer.from(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

/** A value may be quoted; a percent sign that begins no escape stands for itself. */
function decodeHeader(name: string, value: string): string {
  const plain = /^".*"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
  return plain.replace(/(?:%[\dA-Fa-f]{2})+/g, (run) => {
    try {
      return decodeURIComponent(run)
    } catch (cause) {
      throw new PlatformError('INPUT_MALFORMED', `the header ${name} has percent escapes that are no UTF-8`, { cause })
    }
  })
}
