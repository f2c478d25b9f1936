import { useEffect, useState } from 'react'
import type { Overview } from '../contract.ts'

const everyMs = 10_000

/** Reads out the sentence of state when it changed, at most every ten seconds. */
export function Announcer({ overview }: { overview: Overview | undefined }) {
  const sentence = overview?.sentence ?? ''
  const [said, setSaid] = useState({ sentence: '', at: 0 })
  useEffect(() => {
    if (sentence === said.sentence) return
    const wait = Math.max(0, said.at + everyMs - Date.now())
    const timer = setTimeout(() => setSaid({ sentence, at: Date.now() }), wait)
    return () => clearTimeout(timer)
  }, [sentence, said])
  return (
    <div aria-live="polite" className="sr-only">
      {said.sentence}
    </div>
  )
}
