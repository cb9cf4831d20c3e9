// The tool as a process that stays: runs one command line after the other, as bin/run.js does in a process each.
// Receives { args, env } and answers { stdout, stderr, code }.
import { AsyncLocalStorage } from 'node:async_hooks'
import { fileURLToPath } from 'node:url'
import { main } from '../../dist/bundle/disco.cjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The run that code belongs to: a timer that outlives its run must not print into the next one. */
const owner = new AsyncLocalStorage()
let current = null

process.removeAllListeners('warning')
process.stdout.write = recorder('stdout')
process.stderr.write = recorder('stderr')
process.exit = exit
process.on('message', async ({ args, env }) => process.send?.(await run(args, env)))
// The test is over, or has died.
process.on('disconnect', () => process.reallyExit())

async function run(args, env) {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.env.GRPC_VERBOSITY ??= 'NONE'
  process.argv = [process.execPath, `${ROOT}bin/run.js`, ...args]
  process.exitCode = undefined
  const ran = { stdout: '', stderr: '', code: null }
  current = ran
  try {
    await owner.run(ran, () => main())
    ran.code ??= process.exitCode ?? 0
  } catch (error) {
    if (ran.code === null) throw error
  }
  return ran
}

/** The write() of a stream. What comes after the end of a run, or from an earlier one, is lost as it would be. */
function recorder(stream) {
  return (chunk, encoding, callback) => {
    const ran = owner.getStore() ?? current
    if (ran !== null && ran.code === null) {
      ran[stream] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    }
    const done = typeof encoding === 'function' ? encoding : callback
    if (done) queueMicrotask(done)
    return true
  }
}

/** process.exit() of one run. Throws, because its callers rely on it not to return; a run that is over may call it. */
function exit(code = process.exitCode ?? 0) {
  const ran = owner.getStore() ?? current
  if (ran.code !== null) return
  ran.code = code
  throw new Error('exited')
}
