// The same as xds-client.py by grpc-js with grpc-js-xds: node xds-client.cjs FOLDER TARGET PATH.
const { createRequire } = require('node:module')
const { createInterface } = require('node:readline')
const { setTimeout: delay } = require('node:timers/promises')

const [folder, target, path] = process.argv.slice(2)
const load = createRequire(`${folder}/`)
const grpc = load('@grpc/grpc-js')
load('@grpc/grpc-js-xds').register()

const bytes = (value) => value
const client = new grpc.Client(target, grpc.credentials.createInsecure())

function call() {
  return new Promise((resolve) => {
    let addr = ''
    const deadline = Date.now() + 10_000
    client
      .makeUnaryRequest(path, bytes, bytes, Buffer.from('hello'), { deadline }, (error) =>
        setImmediate(() => resolve(error ? { failure: error.message } : { addr })),
      )
      .on('status', ({ metadata }) => {
        addr = String(metadata.get('x-addr')[0])
      })
  })
}

async function serve() {
  for await (const line of createInterface(process.stdin)) {
    const [calls, periodMs] = line.split(' ').map(Number)
    const answers = {}
    const failures = {}
    for (let at = 0; at < calls; at++) {
      const { addr, failure } = await call()
      if (failure === undefined) answers[addr] = (answers[addr] ?? 0) + 1
      else failures[failure] = (failures[failure] ?? 0) + 1
      if (periodMs > 0) await delay(periodMs)
    }
    console.log(JSON.stringify({ answers, failures }))
  }
  process.exit()
}
void serve()
