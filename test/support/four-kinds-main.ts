import { FourKinds } from './four-kinds.js'

/** `four-kinds-main.ts PORT`: runs the server with all four kinds of calls. On SIGTERM, it lets its calls finish. */
const backend = await FourKinds.start({ listen: `127.0.0.1:${process.argv[2] ?? 0}` })
console.log(`serving at ${backend.addr}, pid ${process.pid}`)
process.once('SIGTERM', async () => {
  await backend.drain()
  process.exit(0)
})
