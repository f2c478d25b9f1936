import type { FastifyReply } from 'fastify'
import { messageOf } from '../kernel/errors.ts'
import { sendJson } from './send.ts'

/** One thing that was looked at; only `error` makes the process unhealthy. */
export interface HealthCheck {
  name: string
  status: 'ok' | 'warning' | 'error'
  message: string
}

/** Looks at what the process cannot do without; called for every `GET /healthz`, so it must be quick. */
export type Health = () => readonly HealthCheck[] | Promise<readonly HealthCheck[]>

/** `{"status":"ok"}`, or 503 with the checks that fail. */
export async function answerHealth(health: Health, reply: FastifyReply): Promise<FastifyReply> {
  reply.header('cache-control', 'no-store')
  const failing = await failingChecks(health)
  if (failing.length === 0) return sendJson(reply, { status: 'ok' }, 200)
  return sendJson(reply, { status: 'failing', checks: failing }, 503)
}

async function failingChecks(health: Health): Promise<HealthCheck[]> {
  try {
    const checks = await health()
    return checks
      .filter(({ status }) => status === 'error')
      .map(({ name, status, message }) => ({ name, status, message }))
  } catch (error) {
    // A check that cannot even be made is the clearest sign.
    return [{ name: 'health', status: 'error', message: messageOf(error) }]
  }
}
