import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { RatePoint } from '../contract.ts'
import { useTheme } from '../shell/theme.ts'
import { rate } from '../ui/format.ts'
import { tokenColor } from '../ui/token-color.ts'

type Series = 'requests' | 'handled' | 'changes' | 'published'

/** Drawn in this order, named in this order. */
const series: readonly { name: Series; color: string; dash?: number[] }[] = [
  { name: 'requests', color: 'var(--kind-route)' },
  { name: 'handled', color: 'var(--kind-consumer)' },
  { name: 'changes', color: 'var(--kind-table)' },
  { name: 'published', color: 'var(--kind-event)', dash: [5, 3] },
]
const heightPx = 208

/** What flowed in the last two minutes. The numbers are those under the cursor, else the latest. */
export function RatesChart({ rates }: { rates: readonly RatePoint[] }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const [cursor, setCursor] = useState<number | null>(null)
  const scheme = useScheme()

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew in the colours of the scheme
  useEffect(() => {
    if (box.current === null) return
    const chart = new uPlot(options(box.current.clientWidth, setCursor), [[]], box.current)
    plot.current = chart
    const resized = new ResizeObserver(([entry]) => {
      if (entry) chart.setSize({ width: entry.contentRect.width, height: heightPx })
    })
    resized.observe(box.current)
    return () => {
      resized.disconnect()
      chart.destroy()
    }
  }, [scheme])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its data again
  useEffect(() => {
    const seconds = rates.map((point) => Date.parse(point.at) / 1_000)
    plot.current?.setData([seconds, ...series.map(({ name }) => rates.map((point) => point[name]))])
  }, [rates, scheme])

  const point = (cursor === null ? undefined : rates[cursor]) ?? rates.at(-1)
  return (
    <section aria-labelledby="rates" className="rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1 px-4 pt-3 pb-1">
        <h2 id="rates" className="label-caps flex-1">
          Per second, last two minutes
        </h2>
        <dl className="flex flex-wrap gap-x-5">
          {series.map(({ name, color, dash }) => (
            <div key={name} className="flex items-center gap-1.5">
              <svg aria-hidden="true" width="14" height="8">
                <path d="M1 4h12" stroke={color} strokeWidth="2" strokeDasharray={dash?.join(' ')} />
              </svg>
              <dt className="text-ink-2">{name}</dt>
              <dd className="min-w-9 text-right font-semibold">{point ? rate(point[name]) : '–'}</dd>
            </div>
          ))}
        </dl>
      </div>
      <div ref={box} aria-hidden="true" style={{ height: heightPx }} className="mx-2 mb-2" />
    </section>
  )
}

function options(width: number, onCursor: (index: number | null) => void): uPlot.Options {
  const ink = tokenColor('var(--ink-3)')
  const line = tokenColor('var(--line)')
  const axis = { stroke: ink, font: '11px sans-serif', ticks: { show: false }, grid: { stroke: line, width: 1 } }
  return {
    width,
    height: heightPx,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.12)] } },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        space: 90,
        values: (_, splits) => splits.map((second) => `${new Date(second * 1_000).toTimeString().slice(0, 8)}`),
      },
      { ...axis, size: 38, space: 36 },
    ],
    series: [
      {},
      ...series.map(({ color, dash }): uPlot.Series => {
        const stroke = tokenColor(color)
        return { stroke, width: 1.6, points: { show: false }, ...(dash && { dash }) }
      }),
    ],
    hooks: { setCursor: [(chart) => onCursor(chart.cursor.idx ?? null)] },
  }
}

/** Changes when the colours do. */
function useScheme(): string {
  const theme = useTheme()
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const onChange = (): void => setDark(query.matches)
    query.addEventListener('change', onChange)
    return () => query.removeEventListener('change', onChange)
  }, [])
  return `${theme} ${dark}`
}
