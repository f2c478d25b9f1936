import { expectTypeOf, test } from 'vitest'
import { event } from '../../src/events/event.ts'
import { route } from '../../src/gateway/route.ts'
import { type StandardSchema, t } from '../../src/kernel/schema.ts'

const id = { id: t.int() }

test('path parameters are read from the pattern', () => {
  route('GET /films/:id', ({ params }) => expectTypeOf(params).toEqualTypeOf<{ id: string }>())
  route('GET /films/:film/reviews/:review', ({ params }) =>
    expectTypeOf(params).toEqualTypeOf<{ film: string; review: string }>(),
  )
  // biome-ignore lint/complexity/noBannedTypes: an object without fields is what is meant
  route('GET /films', ({ params }) => expectTypeOf(params).toEqualTypeOf<{}>())
  route('GET /films/:id', ({ params }) => {
    // @ts-expect-error the path has no such parameter
    params.title
  })
})

test('a schema types the parameters it names and leaves the others text', () => {
  route('GET /films/:id/:part', { params: id }, ({ params }) =>
    expectTypeOf(params).toEqualTypeOf<{ id: number; part: string }>(),
  )
  route('GET /films/:id', { params: t.object(id) }, ({ params }) =>
    expectTypeOf(params).toEqualTypeOf<{ id: number }>(),
  )
})

test('a schema of a parameter that the path lacks does not compile', () => {
  // @ts-expect-error `film` is no parameter of the path
  route('GET /films/:id', { params: { film: t.int() } }, () => null)
  // @ts-expect-error `film` is no parameter of the path
  route('GET /films/:id', { params: t.object({ film: t.int() }) }, () => null)
  // @ts-expect-error the path has no parameter
  route('GET /films', { params: id }, () => null)
})

test('query and body have the types of their schemas', () => {
  const contract = { query: { q: t.string(), page: t.optional(t.int()) }, body: t.object({ quantity: t.int() }) }
  route('POST /search', contract, ({ query, body }) => {
    expectTypeOf(query).toEqualTypeOf<{ q: string; page?: number }>()
    expectTypeOf(body).toEqualTypeOf<{ quantity: number }>()
  })
  route('POST /search', ({ body }) => expectTypeOf(body).toEqualTypeOf<undefined>())
  route('POST /search', { summary: 'Search' }, ({ body, query }) => {
    expectTypeOf(body).toEqualTypeOf<undefined>()
    // @ts-expect-error a route without a query schema has no query fields
    query.q
  })
})

test('a Standard Schema of another library is accepted', () => {
  const schema = {} as StandardSchema<{ id: number }>
  route('POST /films/:id', { params: schema, body: schema }, ({ params, body }) => {
    expectTypeOf(params).toEqualTypeOf<{ id: number }>()
    expectTypeOf(body).toEqualTypeOf<{ id: number }>()
  })
})

test('a response schema checks what the handler returns', () => {
  route('GET /films/:id', { response: { id: t.int() } }, () => ({ id: 1 }))
  route('GET /films/:id', { response: { id: t.int() } }, async () => undefined)
  // @ts-expect-error `id` is a number
  route('GET /films/:id', { response: { id: t.int() } }, () => ({ id: 'one' }))
  // @ts-expect-error `id` is a number
  route('GET /films/:id', { response: { id: t.int() } }, async () => ({ id: 'one' }))
})

test('methods, paths and contract fields are checked', () => {
  // @ts-expect-error not a method
  route('FETCH /films', () => null)
  // @ts-expect-error not a path
  route('GET films', () => null)
  // @ts-expect-error not a field of a contract
  route('GET /films', { sumary: 'Films' }, () => null)
})

test('publish checks data against its event', () => {
  const placed = event('order.placed', { order: t.string() })
  route('POST /orders', async ({ publish, transaction }) => {
    await publish(placed, { order: 'o-1' })
    // @ts-expect-error `order` is text
    await publish(placed, { order: 1 })
    return transaction(async (tx) => {
      await tx.publish(placed, { order: 'o-1' })
      return tx.sql`select 1`
    })
  })
})
