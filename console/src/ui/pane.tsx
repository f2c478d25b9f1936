import { type KeyboardEvent, type PointerEvent, type ReactNode, useState } from 'react'
import { IconButton } from './button.tsx'
import { readPreference, writePreference } from './preference.ts'

const narrowest = 340
const widest = 900
const stepPx = 32

interface PaneProps {
  /** Names the region: "Event 48,213". */
  label: string
  /** Remembers its width under this name. */
  name: string
  header: ReactNode
  onClose: () => void
  children: ReactNode
}

/** Details at the right of a list: drawn wider by its edge, with the mouse or the arrow keys. */
export function Pane({ label, name, header, onClose, children }: PaneProps) {
  const [width, setWidth] = useState(() => clamp(Number(readPreference(`pane.${name}`) ?? 460)))
  const resize = (next: number): void => {
    setWidth(clamp(next))
    writePreference(`pane.${name}`, String(clamp(next)))
  }
  return (
    <aside
      aria-label={label}
      style={{ width }}
      className="absolute inset-y-0 right-0 z-20 flex max-w-[calc(100%-3rem)] shrink-0 flex-col border-l border-line bg-surface shadow-[0_0_40px_rgb(0_0_0/0.14)] xl:relative xl:max-w-[62%] xl:shadow-none"
    >
      <Resizer width={width} onResize={resize} />
      <div className="flex items-start gap-2 border-b border-line py-2.5 pr-2 pl-4">
        <div className="min-w-0 flex-1">{header}</div>
        <IconButton icon="close" label="Close the details (Esc)" onClick={onClose} />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto">{children}</div>
    </aside>
  )
}

function Resizer({ width, onResize }: { width: number; onResize: (width: number) => void }) {
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    const handle = event.currentTarget
    const from = event.clientX + width
    handle.setPointerCapture(event.pointerId)
    handle.onpointermove = (move) => onResize(from - move.clientX)
    handle.onpointerup = () => {
      handle.onpointermove = null
    }
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: stepPx, ArrowRight: -stepPx }[event.key]
    if (step === undefined) return
    event.preventDefault()
    onResize(width + step)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is a widget (ARIA 1.2), hr is not
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the details"
      aria-valuenow={Math.round(width)}
      aria-valuemin={narrowest}
      aria-valuemax={widest}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
      className="absolute inset-y-0 -left-3 z-10 w-6 cursor-col-resize touch-none after:absolute after:top-0 after:left-[11px] after:h-full after:w-0.5 hover:after:bg-accent focus-visible:after:bg-accent"
    />
  )
}

function clamp(width: number): number {
  return Math.round(Math.min(widest, Math.max(narrowest, Number.isFinite(width) ? width : 460)))
}
