import { startGreeter } from '../../src/dev/greeter.js'

/** A Greeter in a process of its own, until that is killed; prints its address. */
const greeter = await startGreeter({ port: 0 })
console.log(greeter.addr)
process.stdin.on('end', () => process.exit()).resume()
