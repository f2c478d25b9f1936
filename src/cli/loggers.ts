import pino from 'pino'
import { type Logger, silentLogger } from '../kernel/logger.ts'
import { type LogLevel, logLevels } from './environment.ts'
import type { Output } from './output.ts'

/** JSON lines on standard error, for collectors of logs; standard output stays with the results. */
export function jsonLogger(level: LogLevel): Logger {
  if (level === 'silent') return silentLogger
  return pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
}

/** Lines for a person at a terminal. */
export function humanLogger(out: Output, level: LogLevel): Logger {
  const least = logLevels.indexOf(level)
  const write = (at: LogLevel, mark: string) => (fields: object, message: string) => {
    if (logLevels.indexOf(at) < least) return
    const facts = Object.entries(fields).map(([key, value]) => `${key}=${factOf(value)}`)
    out.note([mark, message, out.paint('dim', facts.join(' '))].join(' ').trimEnd())
  }
  return {
    debug: write('debug', out.paint('dim', '·')),
    info: write('info', out.paint('dim', '·')),
    warn: write('warn', out.paint('yellow', '!')),
    error: write('error', out.paint('red', '✘')),
  }
}

function factOf(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message)
  if (typeof value === 'string') return /^[\w./:-]+$/.test(value) ? value : JSON.stringify(value)
  return JSON.stringify(value) ?? String(value)
}
