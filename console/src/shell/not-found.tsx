import { Empty } from '../ui/states.tsx'
import { PageTitle } from './page-title.tsx'

export function NotFound() {
  return (
    <>
      <PageTitle title="Not found" className="sr-only">
        Not found
      </PageTitle>
      <Empty title="There is no page at this address.">Press ⌘K or Ctrl K to jump to one.</Empty>
    </>
  )
}
