import { startDevRegistry } from '../../src/dev/etcd/server.js'

/** Runs the dev registry until standard input ends. Prints its endpoint. */
const minLeaseTtlSeconds = Number(process.argv[2] ?? 1)
const registry = await startDevRegistry({ host: '127.0.0.1', port: 0, minLeaseTtlSeconds })
console.log(registry.endpoint)
process.stdin.on('end', () => registry.close()).resume()
