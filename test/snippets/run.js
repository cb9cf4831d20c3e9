// node --import ./reader.js run.js SNIPPET: runs a snippet of the docs, calls by its clients, and ends it as a reader
// would end the program: by SIGTERM where the snippet listens for that.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { clients } from './reader.js'

const evaluated = import(pathToFileURL(resolve(process.argv[2])))

// Some snippets wait for the end of their registration.
let isSignalled = false
const signal = () => {
  if (isSignalled || process.listenerCount('SIGTERM') === 0) return
  isSignalled = true
  process.kill(process.pid, 'SIGTERM')
}
const timer = setInterval(signal, 100)

await evaluated
clearInterval(timer)
for (const client of clients) {
  const options = { deadline: Date.now() + 20_000 }
  const { message } = await new Promise((done, fail) =>
    client.SayHello({ name: 'reader' }, options, (error, reply) => (error ? fail(error) : done(reply))),
  )
  console.log(message)
}
signal()
if (!isSignalled) process.exit()
