import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { checkHistory, shownFindings } from '../support/chaos-checker.ts'
import { seeded } from '../support/chaos-random.ts'
import { ChaosBed, type Counts, noCounts, runEpisode } from '../support/chaos-run.ts'
import { sabotaged } from '../support/chaos-sabotage.ts'

// Random operations of several processes while they and Postgres are killed; then every history is compared with what the
// database has. An episode has a database of its own and at most so many disturbances.

const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 12)
const minutes = Number(process.env['CHAOS_MINUTES'] ?? 0)
const seed = Number(process.env['CHAOS_SEED'] ?? randomInt(1_000_000))
const mostRounds = 25

const how = minutes > 0 ? `${minutes} minutes` : `${rounds} rounds`
const again = `CHAOS_SEED=${seed} ${minutes > 0 ? `CHAOS_MINUTES=${minutes}` : `CHAOS_ROUNDS=${rounds}`} npm run test:chaos -- exactly-once`

test(`${how} of random operations, kills and restarts (CHAOS_SEED=${seed}): exactly once, in order`, async () => {
  const random = seeded(seed)
  const bed = await ChaosBed.open()
  const total: Counts = { ...noCounts }
  const until = Date.now() + minutes * 60_000
  let left = rounds
  let failed = true
  try {
    for (let episode = 1; minutes > 0 ? Date.now() < until : left > 0; episode += 1) {
      const some = Math.min(mostRounds, minutes > 0 ? mostRounds : left)
      left -= some
      const { counts, findings, evidence } = await runEpisode(bed, { seed: seed + episode, random, rounds: some })
      for (const name of Object.keys(total) as (keyof Counts)[]) total[name] += counts[name]
      if (findings.length > 0)
        expect.fail(
          `episode ${episode}, evidence kept in ${bed.directory}; again: ${again}\n${shownFindings(findings)}`,
        )
      for (const [what, spoilt] of Object.entries(sabotaged(evidence, random)))
        expect(checkHistory(spoilt), `the checker lets pass: ${what}`).not.toEqual([])
    }
    failed = false
  } finally {
    const told = Object.entries(total).map(([name, count]) => `${count} ${name}`)
    process.stderr.write(`chaos: exactly once, seed ${seed}: ${told.join(', ')}\n`)
    await bed.close(failed)
  }
  expect(total.acknowledged).toBeGreaterThan(0)
})
