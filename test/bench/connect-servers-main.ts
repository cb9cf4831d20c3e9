import { startGreeter } from '../../src/dev/greeter.js'

/** So many greeters in a process of their own; prints their addresses, and ends with its standard input. */
const count = Number(process.argv[2])
const addrs: string[] = []
for (let at = 0; at < count; at++) addrs.push((await startGreeter({ port: 0 })).addr)
console.log(addrs.join(' '))
process.stdin.on('end', () => process.exit()).resume()
