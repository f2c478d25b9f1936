/** Label names and values; keep values few: no ids. */
export type Labels = Readonly<Record<string, string>>

/** Counts up. Hot paths keep the object and call `add`. */
export class Counter {
  value = 0
  add(n = 1): void {
    this.value += n
  }
}

/** A value that goes up and down; a function is asked when it is read. */
export class Gauge {
  #value: number | (() => number) = 0
  set(value: number | (() => number)): void {
    this.#value = value
  }
  get value(): number {
    return typeof this.#value === 'function' ? this.#value() : this.#value
  }
}

const defaultBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counts observations, in seconds, per bucket. */
export class Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[] = defaultBuckets) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(seconds: number, times = 1): void {
    let i = 0
    while (i < this.bounds.length && seconds > (this.bounds[i] as number)) i += 1
    this.counts[i] = (this.counts[i] as number) + times
    this.sum += seconds * times
    this.count += times
  }

  /** An upper estimate of quantile `q` in seconds, from the buckets; `undefined` before the first observation. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined
    let left = q * this.count
    for (let i = 0; i < this.bounds.length; i += 1) {
      left -= this.counts[i] as number
      if (left <= 0) return this.bounds[i]
    }
    return this.bounds.at(-1)
  }
}

type Metric = Counter | Gauge | Histogram
interface Family {
  kind: 'counter' | 'gauge' | 'histogram'
  help: string
  series: Map<string, { labels: Labels; metric: Metric }>
}

/**
 * The metrics of one platform. Names start with `millrace_` and use base units: `_seconds`, `_bytes`, counters `_total`.
 * `text` follows the Prometheus exposition format 0.0.4.
 */
export class Metrics {
  readonly #families = new Map<string, Family>()

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#series(name, 'counter', help, labels, () => new Counter())
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.#series(name, 'gauge', help, labels, () => new Gauge())
  }

  histogram(name: string, help: string, labels: Labels = {}): Histogram {
    return this.#series(name, 'histogram', help, labels, () => new Histogram())
  }

  /** Sum of the counters of one name whose labels include the given ones. */
  total(name: string, labels: Labels = {}): number {
    let sum = 0
    for (const { labels: own, metric } of this.#families.get(name)?.series.values() ?? []) {
      const fits = Object.entries(labels).every(([key, value]) => own[key] === value)
      if (fits && metric instanceof Counter) sum += metric.value
    }
    return sum
  }

  text(): string {
    let out = ''
    for (const [name, family] of this.#families) {
      out += `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.kind}\n`
      for (const { labels, metric } of family.series.values()) out += exposition(name, labels, metric)
    }
    return out
  }

  #series<M extends Metric>(name: string, kind: Family['kind'], help: string, labels: Labels, make: () => M): M {
    let family = this.#families.get(name)
    if (family === undefined) {
      family = { kind, help, series: new Map() }
      this.#families.set(name, family)
    }
    const key = labelText(labels)
    let entry = family.series.get(key)
    if (entry === undefined) {
      entry = { labels, metric: make() }
      family.series.set(key, entry)
    }
    return entry.metric as M
  }
}

function exposition(name: string, labels: Labels, metric: Metric): string {
  if (!(metric instanceof Histogram)) return `${name}${labelText(labels)} ${metric.value}\n`
  let out = ''
  let cumulative = 0
  metric.counts.forEach((count, i) => {
    cumulative += count
    out += `${name}_bucket${labelText({ ...labels, le: String(metric.bounds[i] ?? '+Inf') })} ${cumulative}\n`
  })
  return `${out}${name}_sum${labelText(labels)} ${metric.sum}\n${name}_count${labelText(labels)} ${metric.count}\n`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
