import { sampleOf } from './json-schema.ts'
import type { ApiOperation } from './openapi.ts'

/** A command to try an operation in a shell, with sample values. */
export function curlOf(base: string, method: string, path: string, operation: ApiOperation): string {
  const sample = (name: string, schema: object): string => encodeURIComponent(String(sampleOf(schema) ?? name))
  let url = path
  for (const { name, schema, in: place } of operation.parameters) {
    if (place === 'path') url = url.replace(`{${name}}`, sample(name, schema))
  }
  const query = operation.parameters
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name, schema }) => `${encodeURIComponent(name)}=${sample(name, schema)}`)
  const address = shellQuote(base + url + (query.length === 0 ? '' : `?${query.join('&')}`))
  const body = operation.requestBody?.content['application/json']?.schema
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${address}`,
    ...(body === undefined
      ? []
      : ["-H 'content-type: application/json'", `-d ${shellQuote(JSON.stringify(sampleOf(body)))}`]),
  ].join(' \\\n  ')
}

function shellQuote(text: string): string {
  return /^[\w./:@%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
