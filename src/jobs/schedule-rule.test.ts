import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duesUntil, lastDue, nextDue, type ScheduleRule, scheduleRule } from './schedule-rule.ts'

const berlin = (cron: string): ScheduleRule => scheduleRule('test', cron, 'Europe/Berlin')
function runs(rule: ScheduleRule, from: string, count: number): string[] {
  const first = nextDue(rule, 0, Date.parse(from)) as number
  const dues = duesUntil(rule, 0, { firstMs: first, nowMs: Number.POSITIVE_INFINITY, most: count })
  return dues.map((ms) => new Date(ms).toISOString().replace(':00.000Z', 'Z'))
}

describe('where the clocks jump', () => {
  // 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
  test.each([
    ['30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z'], 'left out: right after the gap'],
    ['0 9 * * *', '2026-03-28T12:00Z', ['2026-03-29T07:00Z', '2026-03-30T07:00Z'], 'nine stays nine'],
    ['30 2 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z'], 'shown twice: the first time'],
    ['*/30 * * * *', '2026-03-29T00:00Z', ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z'], 'goes on'],
    [
      '*/30 * * * *',
      '2026-10-25T00:00Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z'],
      'goes on through both hours',
    ],
    [
      '0 * * * *',
      '2026-10-24T23:30Z',
      ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
      'each real hour',
    ],
  ])('%s from %s: %s (%s)', (cron, from, expected) => {
    expect(runs(berlin(cron), from, expected.length)).toEqual(expected)
  })

  test('the same pattern in UTC knows no jump', () => {
    const rule = scheduleRule('test', '30 2 * * *', 'UTC')
    expect(runs(rule, '2026-03-28T12:00Z', 2)).toEqual(['2026-03-29T02:30Z', '2026-03-30T02:30Z'])
  })
})

test('due times grow, and the last one until now is the one after which the next comes', () => {
  const cron = fc.constantFrom('*/7 * * * *', '30 2 * * *', '0 9 * * 1-5', '15 2,3 * * *', '0 0 1 * *')
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
  const now = fc.integer({ min: Date.parse('2026-01-01T00:00Z'), max: Date.parse('2027-01-01T00:00Z') })
  fc.assert(
    fc.property(cron, zone, now, (pattern, timeZone, nowMs) => {
      const rule = scheduleRule('test', pattern, timeZone)
      const next = nextDue(rule, 0, nowMs) as number
      const last = lastDue(rule, 0, nowMs) as number
      expect(next).toBeGreaterThan(nowMs)
      expect(last).toBeLessThanOrEqual(nowMs)
      expect(nextDue(rule, 0, last)).toBe(next)
    }),
    { numRuns: 60 },
  )
})

test('a period counts from its anchor, however late one looks', () => {
  const rule = scheduleRule('test', { every: '5m' }, 'UTC')
  expect(nextDue(rule, 1000, 1000)).toBe(301_000)
  expect(nextDue(rule, 1000, 301_000)).toBe(601_000)
  expect(nextDue(rule, 1000, 950_000)).toBe(1_201_000)
  expect(lastDue(rule, 1000, 950_000)).toBe(901_000)
})

test('what is no time is refused', () => {
  for (const when of ['x', '61 * * * *', '0 0 31 2 *', { every: 0 }, { every: '10ms' }])
    expect(() => scheduleRule('test', when, 'UTC')).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  expect(() => scheduleRule('test', '* * * * *', 'Mars/Olympus')).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  )
})
