import { IconButton, Key } from '../ui/button.tsx'
import { usePreference, writePreference } from '../ui/preference.ts'
import { Dialog } from './dialog.tsx'
import { isMac, places } from './places.ts'

const groups: readonly { title: string; keys: readonly (readonly [keys: string, does: string])[] }[] = [
  {
    title: 'Go',
    keys: [
      [isMac ? '⌘ K' : 'Ctrl K', 'Anything'],
      ...places.map(({ letter, title }) => [`g ${letter}`, title] as const),
    ],
  },
  {
    title: 'Lists',
    keys: [
      ['/', 'filter'],
      ['j', 'next row'],
      ['k', 'previous row'],
      ['Enter', 'open the row'],
      ['Esc', 'close the details'],
      ['\\', 'pause or resume'],
    ],
  },
  {
    title: 'Details',
    keys: [
      ['[', 'newer'],
      [']', 'older'],
      ['o', 'full page'],
      ['y', 'copy the position'],
    ],
  },
]

/** The keys, and the switch that turns the single ones off. */
export function Help({ onClose }: { onClose: () => void }) {
  const on = usePreference('single-keys') !== 'off'
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} className="sm:w-168">
      <div className="flex items-center border-b border-line py-2 pr-2.5 pl-5">
        <h2 className="flex-1 text-lg font-semibold">Keyboard</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </div>
      <div className="grid gap-x-8 gap-y-5 overflow-y-auto px-5 py-4 sm:grid-cols-3">
        {groups.map(({ title, keys }) => (
          <section key={title}>
            <h3 className="label-caps mb-2">{title}</h3>
            <dl className="flex flex-col gap-1.5">
              {keys.map(([combination, does]) => (
                <div key={combination} className="flex items-center gap-2.5">
                  <dt className="flex w-17 gap-1">
                    {combination.split(' ').map((key) => (
                      <Key key={key}>{key}</Key>
                    ))}
                  </dt>
                  <dd className="text-ink-2">{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="flex min-h-11 cursor-pointer items-center gap-2.5 border-t border-line px-5 text-ink-2">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => writePreference('single-keys', event.target.checked ? 'on' : 'off')}
          className="size-4 accent-[var(--accent)]"
        />
        Keys without ⌘ or Ctrl act on the page
      </label>
    </Dialog>
  )
}
