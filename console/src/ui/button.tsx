import type { ComponentProps } from 'react'
import { Icon, type IconName } from './icon.tsx'

interface ButtonProps extends ComponentProps<'button'> {
  icon?: IconName
}

const base =
  'inline-flex min-h-7 items-center justify-center gap-1.5 rounded-md border border-line-strong bg-surface px-2.5 text-base text-ink-2 whitespace-nowrap hover:bg-hover hover:text-ink disabled:opacity-50 aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-ink'

/** The look of a button, for links that act like one. */
export const buttonClass: string = base

export function Button({ icon, children, className = '', ...rest }: ButtonProps) {
  return (
    <button type="button" className={`${base} ${className}`} {...rest}>
      {icon && <Icon name={icon} size={14} />}
      {children}
    </button>
  )
}

/** The one that a form is about. */
export function SubmitButton({ children, ...rest }: ComponentProps<'button'>) {
  return (
    <button
      type="submit"
      className="inline-flex min-h-7 items-center rounded-md bg-accent px-3 font-medium text-on-accent disabled:opacity-50"
      {...rest}
    >
      {children}
    </button>
  )
}

/** Only an icon: its name is what `label` says. */
export function IconButton({ icon, label, className = '', ...rest }: ButtonProps & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-7 shrink-0 items-center justify-center rounded-md text-ink-3 hover:bg-hover hover:text-ink ${className}`}
      {...rest}
    >
      <Icon name={icon} size={15} />
    </button>
  )
}

export function Key({ children }: { children: string }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line-strong bg-sunken px-1 text-xs text-ink-2">
      {children}
    </kbd>
  )
}
