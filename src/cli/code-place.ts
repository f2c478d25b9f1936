import { readFileSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A line of the app's code that went wrong. */
export interface CodePlace {
  /** As seen from where the command runs. */
  file: string
  line: number
  column?: number
  /** What is wrong there, where the error itself only wraps it. */
  message?: string
  /** The line itself. */
  excerpt?: string[]
}

/** Finds the place in the code below `folder` that an error speaks of; `undefined` when it names none. */
export function placeOf(error: unknown, folder: string): CodePlace | undefined {
  if (!(error instanceof Error)) return undefined
  const place = compilerPlace(error.message) ?? stackPlaces(error).find(({ file }) => isBelow(file, folder))
  if (place === undefined) return undefined
  const excerpt = lineOf(place.file, place.line)
  return {
    ...place,
    file: fromHere(place.file),
    ...(excerpt !== undefined && { excerpt: [`${place.line} | ${excerpt}`] }),
  }
}

/** `/shop/src/app.ts:3:10: ERROR: Expected ";"`, as esbuild writes it. */
function compilerPlace(message: string): CodePlace | undefined {
  const found = /^(.+?):(\d+):(\d+): ERROR: (.+)$/m.exec(message)
  if (found === null) return undefined
  const [, file = '', line, column, text = ''] = found
  return { file: resolve(file), line: Number(line), column: Number(column) + 1, message: text }
}

/** The frames of a stack, and the line above it that Node names for code it could not read. */
function stackPlaces({ stack = '' }: Error): CodePlace[] {
  return [...stack.matchAll(/(?:^|[\s(])((?:file:\/\/|\/|[A-Z]:\\)[^\s()]*?):(\d+)(?::(\d+))?\)?$/gm)].map(
    ([, place = '', line, column]) => ({
      file: pathOf(place),
      line: Number(line),
      ...(column !== undefined && { column: Number(column) }),
    }),
  )
}

function pathOf(place: string): string {
  const bare = place.replace(/\?.*$/, '')
  return bare.startsWith('file://') ? fileURLToPath(bare) : bare
}

function fromHere(file: string): string {
  const path = relative(process.cwd(), file)
  return path.startsWith('..') ? file : path
}

const isBelow = (file: string, folder: string): boolean =>
  file.startsWith(folder + sep) && !file.includes(`${sep}node_modules${sep}`)

function lineOf(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n')[line - 1]
  } catch {
    return undefined // the excerpt is only a help
  }
}
