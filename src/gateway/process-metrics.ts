import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from '../kernel/metrics.ts'

const tickMs = 20

/** Measures this process: memory and the delay of its event loop. Returns the function that stops it. */
export function measureProcess(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: tickMs })
  delay.enable()
  metrics
    .gauge('millrace_event_loop_delay_p99_seconds', 'Delay of the event loop since the last reading, 99th percentile.')
    .set(() => {
      // What is measured is the time between two ticks, so a loop without delay measures one tick.
      const seconds = Math.max(0, delay.percentile(99) / 1e9 - tickMs / 1000)
      delay.reset()
      return seconds
    })
  metrics
    .gauge('millrace_process_resident_memory_bytes', 'Memory of the process that is in RAM.')
    .set(() => process.memoryUsage.rss())
  metrics
    .gauge('millrace_process_heap_used_bytes', 'Heap that JavaScript uses.')
    .set(() => process.memoryUsage().heapUsed)
  metrics.gauge('millrace_process_uptime_seconds', 'Age of the process.').set(() => process.uptime())
  return () => delay.disable()
}
