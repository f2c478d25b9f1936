// Runs official conformance cases from a folder; the project holds no copy of them.
//   node scripts/conformance.mjs cloudevents <folder>
import { tsImport } from 'tsx/esm/api'

const suites = {
  cloudevents: {
    from: 'https://github.com/cloudevents/conformance',
    what: 'the folder with json/ (branch format-tests) and http-protocol-binding.feature (features/)',
    async read(folder) {
      const file = '../src/testing/conformance/cloudevents-cases.ts'
      const { readCloudEventsCases } = await tsImport(file, import.meta.url)
      return readCloudEventsCases(folder)
    },
  },
}

const [name, folder] = process.argv.slice(2)
process.exitCode = await main(name, folder)

/** The exit code: 0 all passed, 1 some failed, 2 called wrongly. */
async function main(name, folder) {
  const suite = Object.hasOwn(suites, name ?? '') ? suites[name] : undefined
  if (suite === undefined) {
    console.error(`Usage: npm run test:conformance -- ${Object.keys(suites).join('|')} <folder>`)
    return 2
  }
  if (folder === undefined) {
    console.error(`No folder with the cases was named, and the project has no copy of them: nothing was run.
Get them with: git clone ${suite.from}
Then: npm run test:conformance -- ${name} <folder>, where the folder is ${suite.what}.`)
    return 2
  }
  try {
    return run(name, await suite.read(folder))
  } catch (error) {
    console.error([error.message, error.hint].filter(Boolean).join('\n'))
    return 2
  }
}

function run(name, { cases, skipped }) {
  let failed = 0
  for (const each of cases) {
    try {
      each.run()
      console.log(`✔ ${each.name}`)
    } catch (error) {
      failed += 1
      console.log(`✘ ${each.name}\n  ${String(error.message).replaceAll('\n', '\n  ')}`)
    }
  }
  for (const each of skipped) console.log(`- ${each}`)
  console.log(
    `\n${name}: ${cases.length} cases, ${cases.length - failed} passed, ${failed} failed; ${skipped.length} files not run`,
  )
  return failed === 0 ? 0 : 1
}
