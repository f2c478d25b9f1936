import fc from 'fast-check'

/** Keys are few so that statements meet the same rows; other writers have keys of their own and never wait. */
export type Statement =
  | { do: 'insert'; a: number; count: number; large: number }
  | { do: 'update'; a: number; large: number | undefined }
  | { do: 'touch'; a: number }
  | { do: 'move'; a: number; to: number }
  | { do: 'delete'; a: number }
  | { do: 'truncate' }
export type Step =
  | { kind: 'transaction'; statements: Statement[]; undo: number | undefined; end: 'commit' | 'rollback' }
  | { kind: 'openLong' | 'closeLong'; statement: Statement }
  | { kind: 'restart' | 'declare' | 'killStream' | 'killAppends' | 'rest' }
  | { kind: 'crash'; at: string }
  | { kind: 'meet'; at: string; statement: Statement }

const a = fc.nat(3)
const large = fc.constantFrom(0, 10, 3000)
const statement: fc.Arbitrary<Statement> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('insert' as const), a, count: fc.constantFrom(1, 2, 5, 5, 300), large }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('update' as const), a, large: fc.option(large, { nil: undefined }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('touch' as const), a }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), a, to: a }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), a }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const) }) },
)
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      statements: fc.array(statement, { minLength: 1, maxLength: 6 }),
      undo: fc.option(fc.nat(5), { nil: undefined }),
      end: fc.constantFrom('commit' as const, 'commit' as const, 'commit' as const, 'rollback' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('openLong' as const, 'closeLong' as const), statement }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'restart' as const,
        'declare' as const,
        'killStream' as const,
        'killAppends' as const,
        'rest' as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('meet' as const),
      at: fc.constantFrom('sync.slot-prepared', 'sync.snapshot-taken', 'sync.table-copied', 'sync.batch-copied'),
      statement,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      at: fc.constantFrom(
        ...['sync.snapshot-taken', 'sync.table-copied', 'sync.table-appended'],
        ...['sync.batch-taken', 'sync.batch-copied', 'sync.batch-appended'],
      ),
    }),
  },
)
