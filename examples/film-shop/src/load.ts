import { parseArgs } from 'node:util'
import { sendShoppers } from './shoppers.ts'

/** `node --import tsx src/load.ts --load 200 --url http://127.0.0.1:4400` */
const { values } = parseArgs({
  options: {
    load: { type: 'string', default: '50' },
    url: { type: 'string', default: 'http://127.0.0.1:4400' },
    seconds: { type: 'string' },
  },
})

const home = new AbortController()
process.once('SIGINT', () => home.abort())
process.once('SIGTERM', () => home.abort())
if (values.seconds !== undefined) setTimeout(() => home.abort(), Number(values.seconds) * 1000)

const last = await sendShoppers({ url: values.url, perSecond: Number(values.load), signal: home.signal }, (tally) =>
  console.log(JSON.stringify(tally)),
)
console.log(JSON.stringify(last))
