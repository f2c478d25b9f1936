/** What a scenario of `http-protocol-binding.feature` says: this request is that event. */
export interface HttpScenario {
  name: string
  request: { headers: Record<string, string>; body: Uint8Array }
  attributes: Record<string, string>
  data: unknown
}

/**
 * Reads the scenarios of a Gherkin file, as far as that one file uses the language: outlines with one table of examples, or
 * plain scenarios. A step that is not understood is an error: nothing is passed over in silence.
 */
export function httpScenarios(text: string): HttpScenario[] {
  const blocks = text.split(/^\s*Scenario(?: Outline)?:/m).slice(1)
  return blocks.flatMap((block) => {
    const [head = '', examples] = block.split(/^\s*Examples:\s*$/m)
    if (examples === undefined) return [scenario(head)]
    return tableOf(examples).map((example) =>
      scenario(head.replace(/<(\w+)>/g, (whole, name: string) => example[name] ?? whole)),
    )
  })
}

const stepNames = [
  'an HTTP request',
  'parsed as HTTP request',
  'the attributes are:',
  'the data is equal to the following JSON:',
]

function scenario(text: string): HttpScenario {
  const [name = '', ...lines] = text.trim().split('\n')
  const steps = new Map<string, string[]>()
  let current: string[] = []
  for (const line of lines) {
    const [, step] = /^\s*(?:Given|When|Then|And)\s+(.+?)\s*$/.exec(line) ?? []
    if (step === undefined || isQuoted(current)) {
      current.push(line)
    } else {
      current = []
      steps.set(step, current)
    }
  }
  const unknown = [...steps.keys()].find((step) => !stepNames.includes(step))
  const missing = stepNames.find((step) => !steps.has(step))
  if (unknown !== undefined || missing !== undefined)
    throw new Error(`scenario "${name}": ${unknown === undefined ? `lacks "${missing}"` : `unknown step "${unknown}"`}`)
  const rows = tableOf((steps.get('the attributes are:') ?? []).join('\n'))
  return {
    name,
    request: requestOf(quotedText(steps.get('an HTTP request') ?? [])),
    attributes: Object.fromEntries(rows.map(({ key = '', value = '' }) => [key, value])),
    data: JSON.parse(quotedText(steps.get('the data is equal to the following JSON:') ?? [])) as unknown,
  }
}

/** Inside `"""`. */
function isQuoted(lines: readonly string[]): boolean {
  return lines.filter((line) => line.trim() === '"""').length === 1
}

function quotedText(lines: readonly string[]): string {
  const indent = lines[0]?.search(/\S/) ?? 0
  const end = lines.findLastIndex((line) => line.trim() === '"""')
  return lines
    .slice(1, end)
    .map((line) => line.slice(indent))
    .join('\n')
}

function requestOf(text: string): HttpScenario['request'] {
  const [head = '', ...body] = text.split('\n\n')
  const headers = head
    .split('\n')
    .slice(1)
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
  return { headers: Object.fromEntries(headers), body: Buffer.from(body.join('\n\n')) }
}

function tableOf(text: string): Record<string, string>[] {
  const [names = [], ...rows] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  return rows.map((cells) => Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ''])))
}
