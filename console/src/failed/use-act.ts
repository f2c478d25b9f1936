import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query'
import { act } from '../api/call.ts'
import type { OperationName, Operations } from '../contract.ts'
import { toast } from '../ui/toast.tsx'

/** An operation as a mutation: says what came of it, and has everything that shows failures read again. */
export function useAct<N extends OperationName>(
  name: N,
  said: (output: Operations[N]['output']) => string,
): UseMutationResult<Operations[N]['output'], Error, Operations[N]['input']> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (input: Operations[N]['input']) => act(name, input),
    onSuccess: async (output) => {
      toast(said(output))
      await client.invalidateQueries()
    },
  })
}
