import { createHash } from 'node:crypto'
import { curlOf } from './curl.ts'
import { Html, html } from './html.ts'
import { boundsText, fieldsOf, type JsonSchema, sampleOf, typeText } from './json-schema.ts'
import type { ApiDocument, ApiOperation } from './openapi.ts'
import { pageStyle } from './style.ts'

const copyScript = `for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.closest('.code').querySelector('code').textContent)
    button.textContent = 'Copied'
    setTimeout(() => { button.textContent = 'Copy' }, 1500)
  })
}`

/** Content Security Policy of the page: its own style and script, nothing else from anywhere. */
export const pagePolicy: string = [
  "default-src 'none'",
  `style-src ${hashOf(pageStyle)}`,
  `script-src ${hashOf(copyScript)}`,
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join('; ')

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

interface Entry {
  id: string
  method: string
  path: string
  operation: ApiOperation
}

/** The documentation of an API as one page. `base` is where the reader reaches it. */
export function docsPage(document: ApiDocument, base: string): string {
  const entries = entriesOf(document)
  const { title, version } = document.info
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} API</title><style>${new Html(pageStyle)}</style></head>
<body><a class="skip" href="#main">Skip to the operations</a>
<header><h1>${title} <span class="version">${version}</span></h1><span><a href="/openapi.json">OpenAPI 3.1</a> · <a href="/asyncapi.json">AsyncAPI 3.0</a></span></header>
<div class="columns">${navigation(document, entries)}
<main id="main">${
    entries.length === 0
      ? html`<p class="empty">No routes yet. Declare one: <code>route('GET /hello', () => ({ hello: 'world' }))</code></p>`
      : entries.map((entry) => section(entry, base))
  }${errors(document)}</main></div><script>${new Html(copyScript)}</script></body></html>
`.text
}

function entriesOf(document: ApiDocument): Entry[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  )
}

function navigation(document: ApiDocument, entries: readonly Entry[]): Html {
  const groups = document.tags.map(({ name }) => {
    const links = entries.filter(({ operation }) => operation.tags.includes(name))
    return html`<h2>${name}</h2><ul>${links.map(
      ({ id, method, path }) => html`<li><a href="#${id}">${badge(method)} <span>${path}</span></a></li>`,
    )}</ul>`
  })
  return html`<nav aria-label="Operations">${groups}<h2>errors</h2><ul><li><a href="#errors">Problem</a></li></ul></nav>`
}

function section({ id, method, path, operation }: Entry, base: string): Html {
  const body = operation.requestBody?.content['application/json']?.schema
  const [status, success] = Object.entries(operation.responses)[0] ?? []
  const response =
    success !== undefined && 'content' in success ? success.content?.['application/json']?.schema : undefined
  const parts = path.split(/(\{\w+\})/).map((part) => (part.startsWith('{') ? html`<em>${part}</em>` : part))
  return html`<section id="${id}"><h2>${badge(method)} <a class="path" href="#${id}">${parts}</a></h2>
${operation.summary !== undefined && html`<p>${operation.summary}</p>`}
${
  operation.parameters.length > 0 &&
  table(
    'Parameters',
    operation.parameters.map((parameter) => ({ ...parameter, place: parameter.in })),
  )
}
${body !== undefined && table('Body', fieldsOf(body))}
${code('Try it', curlOf(base, method, path, operation))}
${response !== undefined && Object.keys(response).length > 0 && html`${table(`Answer ${status}`, fieldsOf(response))}${code('Example', pretty(response))}`}
</section>`
}

function errors(document: ApiDocument): Html {
  const schema = document.components.schemas['Problem'] ?? {}
  return html`<section id="errors"><h2>Errors</h2>
<p>Whatever goes wrong is answered as <code>application/problem+json</code> (RFC 9457) and says what, where and how to mend it.</p>
${table('Problem', fieldsOf(schema))}</section>`
}

function table(
  caption: string,
  fields: readonly { name: string; required: boolean; schema: JsonSchema; place?: string }[],
): Html {
  if (fields.length === 0) return html``
  const rows = fields.map(
    ({ name, required, schema, place }) =>
      html`<tr><th scope="row"><code>${name}</code>${
        !required && html` <small>optional</small>`
      }</th><td>${typeText(schema)}${place !== undefined && html` <small>in ${place}</small>`}</td><td>${boundsText(schema)}</td></tr>`,
  )
  return html`<div class="table"><table><caption>${caption}</caption><tbody>${rows}</tbody></table></div>`
}

function code(caption: string, text: string): Html {
  return html`<figure class="code"><figcaption>${caption} <button type="button" data-copy hidden>Copy</button></figcaption><pre tabindex="0"><code>${text}</code></pre></figure>`
}

function pretty(schema: JsonSchema): string {
  return JSON.stringify(sampleOf(schema), null, 2)
}

function badge(method: string): Html {
  return html`<b class="method ${method.toLowerCase()}">${method}</b>`
}
