import { expectTypeOf, test } from 'vitest'
import { event } from '../../src/events/event.ts'
import { t } from '../../src/kernel/schema.ts'
import { stream } from '../../src/streams/stream.ts'

const opened = event('account.opened', { owner: t.string() })
const deposited = event('account.deposited', { amount: t.int() })
const account = stream('account', {
  events: { opened, deposited },
  initial: () => ({ owner: '', balance: 0 }),
  evolve: (state, event) => {
    expectTypeOf(event.type).toEqualTypeOf<'opened' | 'deposited'>()
    expectTypeOf(event.revision).toEqualTypeOf<number>()
    if (event.type === 'opened') return { ...state, owner: event.data.owner }
    expectTypeOf(event.data).toEqualTypeOf<{ amount: number }>()
    return { ...state, balance: state.balance + event.data.amount }
  },
})

test('the state has the type of what it begins with', () => {
  const check = async () => {
    const { state, revision } = await account.load('a', { asOf: new Date() })
    expectTypeOf(state).toEqualTypeOf<{ owner: string; balance: number }>()
    expectTypeOf(revision).toEqualTypeOf<number>()
  }
  expectTypeOf(check).toBeFunction()
})

test('only the events of the stream can be appended, each with its own data', () => {
  const check = async () => {
    await account.append('a', [{ type: 'deposited', data: { amount: 1 } }], { expect: 'none' })
    await account.append('a', [], { expect: 3 })
    // @ts-expect-error the stream has no such event
    await account.append('a', [{ type: 'closed', data: {} }])
    // @ts-expect-error this is the data of another event
    await account.append('a', [{ type: 'deposited', data: { owner: 'Ada' } }])
    // @ts-expect-error `amount` is a number
    await account.append('a', [{ type: 'deposited', data: { amount: '1' } }])
    // @ts-expect-error no such expectation
    await account.append('a', [], { expect: 'some' })
  }
  expectTypeOf(check).toBeFunction()
})

test('what is decided must be events of the stream', () => {
  const check = async () => {
    await account.update('a', ({ balance }) => (balance > 0 ? [] : [{ type: 'deposited', data: { amount: 1 } }]))
    // @ts-expect-error the stream has no such event
    await account.update('a', () => [{ type: 'closed', data: {} }])
    // @ts-expect-error the expectation is the loaded revision
    await account.update('a', () => [], { expect: 'any' })
  }
  expectTypeOf(check).toBeFunction()
})

test('evolve must return the state', () => {
  stream('account', {
    events: { deposited },
    initial: () => ({ balance: 0 }),
    // @ts-expect-error `balance` is a number
    evolve: (_, { data }) => ({ balance: String(data.amount) }),
  })
})
