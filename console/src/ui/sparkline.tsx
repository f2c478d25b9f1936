const width = 72
const height = 18

/** The last minute as a line without axes: its shape matters, its numbers stand beside it. */
export function Sparkline({ values, color }: { values: readonly number[]; color: string }) {
  const highest = Math.max(1e-9, ...values)
  const step = width / 59
  const from = width - (values.length - 1) * step
  const points = values.map(
    (value, i) => `${(from + i * step).toFixed(1)},${(height - 2 - (value / highest) * (height - 4)).toFixed(1)}`,
  )
  return (
    <svg aria-hidden="true" width={width} height={height} className="shrink-0">
      <path d={`M0 ${height - 1.5}H${width}`} stroke="var(--line)" />
      {points.length > 1 && (
        <polyline points={points.join(' ')} fill="none" stroke={color} strokeWidth="1.4" strokeLinejoin="round" />
      )}
    </svg>
  )
}
