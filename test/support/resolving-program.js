// A program with the built library, configured by the environment alone: prints, for each target of its arguments, the
// endpoints that its channel was given, in order, and the weights by which it balances once they are READY.
import { Client, credentials } from '@grpc/grpc-js'
import { channelOptions, install } from '../../dist/grpc/index.js'
import { Registry } from '../../dist/index.js'

const DEADLINE_MS = 10_000

const registry = await Registry.open()
install({ discovery: registry })
const results = await Promise.all(process.argv.slice(2).map(resolved))
console.log(JSON.stringify(results))
registry.close()
process.exit(0)

/** @param {string} target */
function resolved(target) {
  return new Promise((resolve) => {
    /** @type {import('../../dist/grpc/index.js').SelectedList | null} */
    let list = null
    const weights = new Map()
    const look = () => {
      const wanted = (list?.selected ?? []).filter(({ problem }) => problem === null)
      if (!list || wanted.some(({ addr }) => !weights.has(addr))) return
      finish()
    }
    const observer = {
      resolved: (now) => {
        list = now
        setTimeout(look)
      },
      rotation: (rotation) => {
        for (const [{ registration }, weight] of rotation) weights.set(registration.addr, weight)
        look()
      },
    }
    const client = new Client(target, credentials.createInsecure(), channelOptions({ observer }))
    client.getChannel().getConnectivityState(true)
    const timer = setTimeout(() => finish(), DEADLINE_MS)
    const finish = () => {
      clearTimeout(timer)
      client.close()
      const endpoints = (list?.selected ?? []).map(({ key, addr }) => [key, addr, weights.get(addr) ?? null])
      resolve({ target, isCached: list !== null && list.cachedAgeMs !== null, endpoints })
    }
  })
}
