import { type Backoff, backoffMs } from '../kernel/backoff.ts'
import { Binding } from '../kernel/binding.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import { compileSchema, type Infer, type Schema, type SchemaLike } from '../kernel/schema.ts'
import { checkPriority } from './add-jobs.ts'
import type { JobDefinition, JobHandler, JobOptions, JobPort, ResolvedJobOptions } from './job-definition.ts'

/**
 * Declares a job.
 * @param name durable: the queue that its jobs stand in
 * @param schema the shape of its data: fields, a `t` schema or any Standard Schema
 * @example const sendMail = job('send-mail', { to: t.string() }, ({ data }) => mailer.send(data.to)); await sendMail.add({ to })
 */
export function job<const S extends SchemaLike, R>(
  name: string,
  schema: S,
  handler: JobHandler<Infer<S>, R>,
): JobDefinition<Infer<S>, R>
export function job<const S extends SchemaLike, R>(
  name: string,
  schema: S,
  options: JobOptions<Infer<S>>,
  handler: JobHandler<Infer<S>, R>,
): JobDefinition<Infer<S>, R>
export function job(
  name: string,
  schema: SchemaLike,
  ...rest: [JobHandler<never, unknown>] | [JobOptions<never>, JobHandler<never, unknown>]
): JobDefinition<never> {
  checkName('job', name)
  const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
  const binding = new Binding<JobPort>(`job "${name}"`)
  const definition: JobDefinition<never> = {
    kind: 'job',
    name,
    schema: compileSchema(schema) as Schema<never>,
    options: resolve(name, options),
    handler: handler as JobHandler<unknown, unknown>,
    binding,
    add: (data, given = {}) => binding.current.add(definition, data, given),
    addMany: (data, given = {}) => binding.current.addMany(definition, data, given),
    result: (id) => binding.current.result(definition, id),
    waitFor: async (id, { timeout = '30s' } = {}) => binding.current.waitFor(definition, id, durationMs(timeout)),
    cancel: (id) => binding.current.cancel(definition, id),
    status: (id) => binding.current.status(definition, id),
  }
  return definition
}

const defaults = {
  priority: 0,
  concurrency: 10,
  perKey: undefined as JobOptions<never>['perKey'],
  unique: undefined as JobOptions<never>['unique'],
  uniqueFor: 0 as Duration,
  attempts: 8,
  backoff: {} as Backoff,
  timeout: '5m' as Duration,
  retention: '1h' as Duration,
}

/** Longest time that a timer of Node can wait; a longer one would end at once. */
const longestMs = 2 ** 31 - 1

function resolve(name: string, given: JobOptions<never>): ResolvedJobOptions {
  const { uniqueFor, timeout, retention, ...options } = resolveOptions(`job("${name}")`, defaults, given)
  const refuse = (option: string, must: string): never => {
    throw new PlatformError('OPTION_INVALID', `job("${name}"): ${option} must be ${must}`)
  }
  const whole = (option: string, value: number): unknown =>
    (Number.isInteger(value) && value >= 1) || refuse(option, 'a whole number from 1')
  checkPriority(name, options.priority)
  whole('concurrency', options.concurrency)
  whole('attempts', options.attempts)
  if (options.perKey !== undefined) whole('perKey.concurrency', options.perKey.concurrency)
  const timeoutMs = durationMs(timeout)
  if (timeoutMs === 0 || timeoutMs > longestMs) refuse('timeout', 'more than 0 and at most 24 days')
  if (options.backoff.factor !== undefined && !(options.backoff.factor >= 1))
    refuse('backoff.factor', 'a number from 1')
  backoffMs(1, options.backoff) // throws on what is no duration
  return { ...options, uniqueForMs: durationMs(uniqueFor), timeoutMs, retentionMs: durationMs(retention) }
}
