import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Counter, Histogram, Metrics } from '../kernel/metrics.ts'

/** What is counted of one route; `unmatched` stands for every path that no route has. */
export interface RouteMetrics {
  observe(statusCode: number, seconds: number): void
}

export function routeMetrics(metrics: Metrics, method: string, route: string): RouteMetrics {
  const labels = { method, route }
  const classes: Counter[] = []
  const seconds: Histogram = metrics.histogram(
    'millrace_http_request_seconds',
    'From the head of a request to the end of its answer, by route.',
    labels,
  )
  const counter = (statusClass: number): Counter =>
    metrics.counter('millrace_http_requests_total', 'Requests answered, by route and class of status.', {
      ...labels,
      status: `${statusClass}xx`,
    })
  return {
    observe(statusCode, elapsed) {
      const statusClass = Math.floor(statusCode / 100)
      classes[statusClass] ??= counter(statusClass)
      classes[statusClass].add()
      seconds.observe(elapsed)
    },
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    observed?: RouteMetrics
  }
}

/** The hook that observes every answer; routes carry their metrics in their config. */
export function observeResponses(
  unmatched: RouteMetrics,
): (request: FastifyRequest, reply: FastifyReply, done: () => void) => void {
  return (request, reply, done) => {
    const observed = request.routeOptions.config.observed ?? unmatched
    observed.observe(reply.statusCode, reply.elapsedTime / 1000)
    done()
  }
}
