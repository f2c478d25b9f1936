import { Dialog as Base } from '@base-ui/react/dialog'
import type { ReactNode } from 'react'

interface DialogProps {
  title: string
  onClose: () => void
  children: ReactNode
  className: string
}

/** Over the page, with the focus inside and back where it was afterwards. */
export function Dialog({ title, onClose, children, className }: DialogProps) {
  return (
    <Base.Root open={true} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-[oklch(0.15_0.02_230/0.45)]" />
        <Base.Popup
          className={`fixed top-[14vh] left-1/2 z-50 flex max-h-[72vh] w-[calc(100vw-2rem)] -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-raised shadow-2xl outline-none ${className}`}
        >
          <Base.Title className="sr-only">{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
