import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Member } from '../store/member.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import type { CachePassage } from './cache-follower.ts'

const writeStatement: Statement = {
  name: 'millrace-passages',
  text: `insert into millrace.passages (follower, member, first, last, outcome, started_at, done_at)
    select follower, $1, first, last, 'done', to_timestamp(started / 1000), to_timestamp(done / 1000)
      from unnest($2::text[], $3::bigint[], $4::bigint[], $5::float8[], $6::float8[]) as p(follower, first, last, started, done)`,
}
const forgetStatement: Statement = {
  name: 'millrace-forget-passages',
  text: `delete from millrace.passages where done_at < now() - interval '15 minutes'`,
}

const gapMs = 100
const forgetMs = 60_000
/** Diagnosis must never cost memory: past this many the oldest are dropped. */
const most = 2000

/** Writes down when the caches of this process passed what, a few times a second, so that a journey shows them. */
export class PassageWriter {
  readonly #store: Store
  readonly #member: Member
  readonly #logger: Logger
  #pending: CachePassage[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  readonly #forgetting: NodeJS.Timeout

  constructor(deps: { store: Store; member: Member; logger: Logger }) {
    this.#store = deps.store
    this.#member = deps.member
    this.#logger = deps.logger
    this.#forgetting = setInterval(() => this.#run(() => this.#store.run(forgetStatement)), forgetMs)
  }

  add(passage: CachePassage): void {
    this.#pending.push(passage)
    if (this.#pending.length > most) this.#pending.shift()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#run(() => this.#write())
    }, gapMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#forgetting)
    clearTimeout(this.#timer)
    await this.#writing
  }

  async #write(): Promise<void> {
    const rows = this.#pending
    this.#pending = []
    await this.#store.run(writeStatement, [
      this.#member.name,
      rows.map((row) => row.follower),
      rows.map((row) => row.first),
      rows.map((row) => row.last),
      rows.map((row) => row.startedAt),
      rows.map((row) => row.doneAt),
    ])
  }

  #run(work: () => Promise<unknown>): void {
    this.#writing = this.#writing.then(work).then(
      () => undefined,
      (error: unknown) => this.#logger.debug({ error: messageOf(error) }, 'passages could not be written'),
    )
  }
}
