import type { LogRecord } from '../events/record.ts'
import type { Counter, Histogram, Metrics } from '../kernel/metrics.ts'
import { RecentLatency } from './recent-latency.ts'

/** What a consumer tells of itself. */
export class ConsumerMeter {
  readonly #handled: Counter
  readonly #failed: Counter
  readonly #seconds: Histogram
  readonly #recent = new RecentLatency()

  constructor(metrics: Metrics, consumer: string) {
    const labels = { consumer }
    this.#handled = metrics.counter('millrace_handled_total', 'Events handled, by consumer.', labels)
    this.#failed = metrics.counter('millrace_handler_failures_total', 'Failed tries, by consumer.', labels)
    this.#seconds = metrics.histogram(
      'millrace_publish_to_handled_seconds',
      'From publish to handled and settled.',
      labels,
    )
  }

  get handledTotal(): number {
    return this.#handled.value
  }

  latencyQuantile(q: number): number | undefined {
    return this.#recent.quantile(q)
  }

  handled(records: readonly LogRecord[], now: number): void {
    this.#handled.add(records.length)
    const [first] = records
    if (first === undefined) return
    // The first of a batch waited longest.
    const seconds = Math.max(0, now - Date.parse(first.at)) / 1000
    this.#seconds.observe(seconds, records.length)
    this.#recent.observe(seconds)
  }

  failed(): void {
    this.#failed.add()
  }
}
