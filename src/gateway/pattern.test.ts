import { describe, expect, test } from 'vitest'
import { t } from '../kernel/schema.ts'
import { parsePattern, pathMatcher, patternShape } from './pattern.ts'
import { route } from './route.ts'

describe('a pattern', () => {
  test('is a method, a path and its parameters', () => {
    expect(parsePattern('GET /')).toEqual({ method: 'GET', path: '/', parameters: [] })
    expect(parsePattern('PUT /films/:film/reviews/:id')).toEqual({
      method: 'PUT',
      path: '/films/:film/reviews/:id',
      parameters: ['film', 'id'],
    })
  })

  test.each([
    ['FETCH /films', 'has no method of GET, POST, PUT, PATCH, DELETE'],
    ['get /films', 'has no method of GET, POST, PUT, PATCH, DELETE'],
    ['GET films', 'has no path'],
    ['GET', 'has no path'],
    ['GET /films /more', 'has no path'],
    ['GET /films/', 'has a segment ""'],
    ['GET /films/*', 'has a segment "*"'],
    ['GET /films/:id.json', 'has a segment ":id.json"'],
    ['GET /films/:id(\\d+)', 'has a segment ":id(\\d+)"'],
    ['GET /films?q=1', 'has a segment "films?q=1"'],
    ['GET /:id/:id', 'names the parameter "id" twice'],
  ])('%s is refused: it %s', (pattern, problem) => {
    expect(() => parsePattern(pattern)).toThrow(expect.objectContaining({ code: 'ROUTE_INVALID' }))
    expect(() => parsePattern(pattern)).toThrow(problem)
  })

  test('matches its own concrete paths only', () => {
    const matcher = pathMatcher('/films/:id/cast.json')
    expect(matcher.test('/films/1/cast.json')).toBe(true)
    expect(matcher.test('/films/1/castXjson')).toBe(false)
    expect(matcher.test('/films/1/2/cast.json')).toBe(false)
  })

  test('has one shape whatever its parameters are called', () => {
    expect(patternShape('GET', '/films/:id')).toBe(patternShape('GET', '/films/:film'))
    expect(patternShape('GET', '/films/:id')).not.toBe(patternShape('GET', '/films/id'))
  })
})

describe('a contract', () => {
  test('naming a parameter that the path lacks is refused', () => {
    // @ts-expect-error does not compile either
    expect(() => route('GET /films/:id', { params: { film: t.int() } }, () => null)).toThrow('no parameter ":film"')
  })

  test('with an unknown field is refused', () => {
    // @ts-expect-error does not compile either
    expect(() => route('GET /films', { sumary: 'Films' }, () => null)).toThrow('has no option "sumary"')
  })

  test('with a body for GET is refused', () => {
    expect(() => route('GET /films', { body: { q: t.string() } }, () => null)).toThrow('GET does not have')
  })
})
