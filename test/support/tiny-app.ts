/** The source of a small app: one event, one consumer, one route. */
export function tinyApp(greeting = 'hello'): string {
  return `import { app, event, on, route, t } from 'millrace'

export const ping = event('ping', { n: t.int() }, { key: 'n' })
const seen = on('seen', ping, async () => {})

export default app('tiny', [ping, seen, route('GET /greeting', () => ({ greeting: '${greeting}' }))])
`
}
