// A gRPC server for a supervisor: node supervised-server.js PORT. Prints the signals it receives; SIGUSR2 toggles its health.
import { startGreeter } from '../../dist/dev/greeter.js'

const greeter = await startGreeter({ port: Number(process.argv[2]) })
const { DISCO_SERVICE, DISCO_ADDR } = process.env
console.log(`serving ${DISCO_SERVICE} at ${DISCO_ADDR}, pid ${process.pid}`)

let isServing = true
process.on('SIGUSR2', () => {
  isServing = !isServing
  greeter.setHealth(isServing ? 'SERVING' : 'NOT_SERVING')
  console.log(isServing ? 'SERVING' : 'NOT_SERVING')
})
process.once('SIGTERM', async () => {
  console.log('SIGTERM')
  await greeter.drain()
  process.exit(0)
})
