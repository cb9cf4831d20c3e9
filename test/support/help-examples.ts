import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco, type Process } from './disco.js'
import type { Etcd } from './etcd.js'
import { registration, revision, wipe } from './etcd-state.js'
import { freePorts } from './ports.js'
import { ResidentTool } from './resident-tool.js'
import { sharedEtcd } from './shared-etcd.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The names of all commands. */
export const COMMANDS: readonly string[] = readdirSync(`${ROOT}src/commands`).map((file) =>
  file.replace(/\.ts$/, ''),
)

/** A quick command of each kind: one that ends, one that waits, and one that runs until it is stopped. */
export const QUICK_EXAMPLES: readonly string[] = ['version', 'wait', 'watch']

let etcd: Etcd
let disco: Disco
let tool: ResidentTool
let greeters: Greeter[]
let folder: string
/** Real values for the addresses and revisions in the examples. */
let addresses: Record<string, string>

/** The two examples at the top of a command’s help. */
async function examplesOf(command: string): Promise<string[]> {
  const { stdout } = await tool.run(command, '-h')
  const [, examples = ''] = /^\S.*\n\nEXAMPLES\n((?: .*\n|\n)*)USAGE\n/.exec(stdout) ?? []
  return examples.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.replace(/^ +\$? ?/, '')]))
}

/** Examples that run until they are stopped or an event occurs, each with a function that ends it. */
const GOING_ON: Readonly<Record<string, (started: Process) => Promise<unknown>>> = {
  'disco dev': (dev) => stopAfter(dev, 'Ctrl-C ends it'),
  'disco drain hello 1.2.3.4:1001': (drain) => stopAfter(drain, 'weight 2 → 0'),
  'disco drain hello 1.2.3.4:1001 --grace 2m': (drain) => stopAfter(drain, 'weight 2 → 0'),
  'disco health hello --watch': (health) => stopAfter(health, '"healthy":true'),
  'disco proxy hello': (proxy) => stopAfter(proxy, 'etcd:///hello: 3 endpoints, 3 READY'),
  'disco proxy hello --policy least_request --health': (proxy) => stopAfter(proxy, '3 endpoints, 3 READY'),
  'disco register hello 1.2.3.4:1001 --ttl 10': (register) => stopAfter(register, '"type":"added"'),
  'disco register hello :1001 --probe grpc -- node server.js': (register) =>
    stopAfter(register, 'registered hello'),
  'disco xds': (xds) => stopAfter(xds, 'hello: 3 endpoints'),
  'disco xds hello --listen 127.0.0.1:18000': (xds) => stopAfter(xds, 'hello: 3 endpoints'),
  'disco watch hello': (watch) => stopAfter(watch, '"type":"synced"'),
  'disco watch hello --count 1': async (watch) => {
    await watch.printed('"type":"synced"')
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:9', { version: '1.0.0', weight: 1 }))
  },
}

async function stopAfter(started: Process, text: string): Promise<void> {
  await started.printed(text)
  await started.end('SIGINT')
}

async function registerAll(): Promise<void> {
  for (const { addr } of greeters) {
    await etcd.ctl('put', ...registration('hello', addr, { version: '1.0.0', weight: 2 }))
  }
}

/** Exit codes of examples that do not exit with 0: after Ctrl-C, or because of their result. */
const EXITS: readonly [example: RegExp, code: number][] = [
  [/^disco (drain|health .*--watch|watch hello$)/, 130],
  [/^disco verdict --counts a=3/, 8],
  // The states at the two revisions differ.
  [/^disco diff hello --from/, 1],
  // The registrations have no lease.
  [/^disco doctor/, 9],
]

function withFreePort(example: string): string {
  if (example === 'disco dev') return 'disco dev --port 0'
  if (example.startsWith('disco xds')) return `${example.replace(/ --listen \S+/, '')} --listen :0`
  return example.startsWith('disco proxy') ? `${example} --listen :0` : example
}

/**
 * The example with existing addresses and a free port. A pipeline runs in a shell of its own, because `exec` cannot
 * replace the shell with it.
 */
function runnable(example: string): string {
  const line = withFreePort(example)
  // wait --for "gone …" needs an address that is not registered, so it is not replaced.
  const command = line.includes('gone ')
    ? line
    : Object.entries(addresses).reduce((text, [from, to]) => text.replace(from, to), line)
  return command.includes(' | ') ? `bash -c ${JSON.stringify(command)}` : command
}

/** Tests the examples of these commands in the calling test file. */
export function describeExamples(commands: readonly string[]): void {
  beforeAll(async () => {
    etcd = await sharedEtcd()
    tool = new ResidentTool(etcd.endpoint)
    greeters = await Promise.all(Array.from({ length: 3 }, () => startGreeter({ port: 0 })))
    folder = mkdtempSync(join(tmpdir(), 'disco-examples-'))
    writeFileSync(join(folder, 'disco'), `#!/bin/sh\nexec ${process.execPath} ${ROOT}bin/run.js "$@"\n`, {
      mode: 0o755,
    })
    writeFileSync(join(folder, 'backends.log'), 'a GET /\nb GET /\nb GET /\nb GET /\n')
    const [port] = await freePorts(1)
    const server = pathToFileURL(`${ROOT}test/support/supervised-server.js`)
    writeFileSync(join(folder, 'server.js'), `process.argv[2] = '${port}'\nimport('${server}')\n`)
    addresses = {
      '1.2.3.4:1001': greeters[0]?.addr ?? '',
      '127.0.0.1:1001': greeters[0]?.addr ?? '',
      ' :1001': ` 127.0.0.1:${port}`,
    }
    disco = new Disco(etcd.endpoint, {
      PATH: `${folder}:${process.env.PATH}`,
      XDG_CONFIG_HOME: join(folder, 'config'),
    })
  })
  afterAll(async () => {
    for (const greeter of greeters) greeter.stop()
    await tool[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, maxRetries: 5 })
  })
  afterEach(async () => {
    await disco.stopAll()
    await wipe(etcd)
  })

  describe('the two examples at the top of the help run unchanged', () => {
    test.each(commands)('%s', async (command) => {
      const examples = await examplesOf(command)
      expect(examples).toHaveLength(2)
      for (const example of examples) {
        await wipe(etcd)
        const before = await revision(etcd)
        addresses = { ...addresses, ' --from 1042': ` --from ${before}`, ' --to 1050': ` --to ${before}` }
        if (command !== 'register') await registerAll()
        if (example.includes('registry.yaml')) {
          writeFileSync(join(folder, 'registry.yaml'), (await tool.run('export', 'hello')).stdout)
        }
        const started = disco.shell(`cd ${folder}; exec ${runnable(example)}`)
        await GOING_ON[example]?.(started)
        const { code, stdout, stderr } = await started.exited()
        const [, expected = 0] = EXITS.find(([begins]) => begins.test(example)) ?? []
        expect(code, `${example}\n${stdout}${stderr}`).toBe(expected)
        expect(stderr).not.toContain('✗')
      }
    })
  })
}
