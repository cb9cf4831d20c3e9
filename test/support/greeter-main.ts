import { startGreeter } from '../../src/dev/greeter.js'

/** Runs a Greeter until the process is killed. Prints its address. */
const greeter = await startGreeter({ port: 0 })
console.log(greeter.addr)
process.stdin.on('end', () => process.exit()).resume()
