import { expect, test } from 'vitest'
import { indexShape } from './index-shape.ts'
import { fieldTexts, type QueryWord, relevance } from './relevance.ts'

const shape = indexShape({ name: 'x', search: ['title^3', 'about'], filters: [], document: '' })

function word(text: string, options: { unfinished?: boolean; guess?: string; weight?: number } = {}): QueryWord {
  const { unfinished = false, guess, weight = 1 } = options
  const readings = [{ term: text, prefix: unfinished, quality: 1 }]
  if (guess !== undefined) readings.push({ term: guess, prefix: false, quality: 0.7 })
  return { text, unfinished, weight, readings }
}

function score(words: QueryWord[], title: string, about = ''): number {
  return relevance(words, fieldTexts(shape, { title, about })).score
}

function inOrder(...scores: number[]): void {
  expect(scores).toEqual([...scores].sort((a, b) => b - a))
  expect(new Set(scores).size).toBe(scores.length)
  for (const value of scores) {
    expect(value).toBeGreaterThanOrEqual(0)
    expect(value).toBeLessThanOrEqual(1)
  }
}

test('the whole title, its beginning, some of it, another field', () => {
  const words = [word('star'), word('wars')]
  inOrder(
    score(words, 'Star Wars'),
    score(words, 'Star Wars Episode'),
    score(words, 'The Star Wars'),
    score(words, 'Episode', 'Star Wars'),
    score(words, 'Episode', 'nothing'),
  )
})

test('neighbours in order, turned, far apart', () => {
  const words = [word('star'), word('wars')]
  inOrder(
    score(words, 'old star wars film now'),
    score(words, 'old wars star film now'),
    score(words, 'star old film now wars'),
  )
})

test('as written, begun, guessed', () => {
  const words = [word('alien', { unfinished: true, guess: 'align' })]
  inOrder(score(words, 'Alien'), score(words, 'Aliens'), score(words, 'Align'), score(words, 'Other'))
})

test('a short text before a long one', () => {
  const words = [word('love')]
  inOrder(score(words, 'true love'), score(words, 'a very long title about love'))
})

test('with some of the words, the rare one counts more', () => {
  const words = [word('the', { weight: 0.3 }), word('godfather')]
  inOrder(score(words, 'my godfather'), score(words, 'the uncle'))
})

test('what met each word is told', () => {
  const words = [word('satr', { guess: 'star' }), word('wa', { unfinished: true }), word('none')]
  expect(relevance(words, fieldTexts(shape, { title: 'Star Wars' })).met).toEqual(['star', 'wars', undefined])
})
