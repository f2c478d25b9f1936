import { coarse, duration } from '../ui/format.ts'

/** 0 is a dash: nothing waits. */
export function age(seconds: number): string {
  if (seconds === 0) return '–'
  return seconds < 1 ? duration(seconds * 1_000) : coarse(seconds)
}
