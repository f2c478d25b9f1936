import type { EventSummary } from '../admin/contract.ts'
import type { Output } from './output.ts'

/** `12:01:07.112  change  films.changed  7  {"kind":"update",…}  #4711` */
export function eventLine(out: Output, event: EventSummary): string {
  const name = event.key === null ? event.type : `${event.type} ${out.paint('bold', event.key)}`
  const width = event.type.length + (event.key === null ? 0 : event.key.length + 1)
  return [
    out.paint('dim', clock(event.at)),
    out.paint(event.kind === 'change' ? 'blue' : 'magenta', event.kind.padEnd(6)),
    name + ' '.repeat(Math.max(0, 34 - width)),
    oneLine(event.preview),
    out.paint('dim', `#${event.position}`),
  ].join('  ')
}

/** Local time of day. */
function clock(at: string): string {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Data comes from anywhere: it must not move the cursor. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ')
