import { randomInt } from 'node:crypto'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeEmbeddedPostgres } from '../../src/adapters/embedded-postgres/remove-embedded-postgres.ts'
import { seeded } from '../support/chaos-random.ts'
import { Shop } from '../support/chaos-shop.ts'

const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 6)
const seed = Number(process.env['CHAOS_SEED'] ?? randomInt(1_000_000))

test(`${rounds} rounds of kill -9 under load (CHAOS_SEED=${seed}) lose and double nothing`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  chmodSync(directory, 0o711)
  const random = seeded(seed).next
  const shop = await Shop.open(directory)
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const victim = (['app', 'postgres', 'both'] as const)[Math.floor(random() * 3)] ?? 'app'
      await shop.underLoad(random, async () => {
        await new Promise((resolve) => setTimeout(resolve, 50 + random() * 1500))
        await shop.kill(victim)
      })
      await shop.agrees(`round ${round}, ${victim} killed`)
    }
    process.stderr.write(`chaos: ${rounds} rounds, seed ${seed}: ${shop.acknowledged} orders acknowledged, all kept\n`)
    expect(shop.acknowledged).toBeGreaterThan(0)
  } finally {
    await shop.close()
    await removeEmbeddedPostgres(directory)
  }
})
