import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Backends, startBackends } from '../../src/dev/backends.js'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { commandsOfDocs } from '../support/snippets.js'

const NETWORK = new URL('../snippets/network.js', import.meta.url)
const COMMANDS = commandsOfDocs()
/** Commands that run until Ctrl-C, or until a condition holds that may never hold in this test. */
const STAYS =
  /^disco (register|watch|proxy|dev|xds(?!.*--bootstrap)|health .*--watch|wait (?!.*--timeout (0|\ds)\b))/

/**
 * Exit codes of an internal error, wrong usage, and a command that the shell cannot run. Other codes are results: the
 * registry of the docs is not the one of this test.
 */
const WRONG = [1, 2, 126, 127]

/** Commands for which exit code 1 is a result as well. */
const COMPARES = /\bdisco diff\b/

/** Turns a background job, which prints into a file, into a foreground command whose output the test can read. */
function inForeground(line: string): string {
  return line.replace(/ 2> \S+ &(?= |$)/, '')
}

let etcd: RealEtcd
let backends: Backends
let home: string
let disco: Disco

beforeAll(async () => {
  etcd = await RealEtcd.start()
  const plans = [1, 1, 10].map((weight) => ({ weight, latencyMs: 0, errorFraction: 0 }))
  backends = await startBackends(etcd.endpoint, { service: 'hello', version: '1.0.0', plans })
  home = mkdtempSync(join(tmpdir(), 'disco-commands-'))
  for (const name of ['.prod-password', '.dc1-password'])
    writeFileSync(join(home, name), 'secret\n', { mode: 0o600 })
  mkdirSync(join(home, '.config/fish/completions'), { recursive: true })
  writeFileSync(join(home, 'server.js'), 'setInterval(() => undefined, 1_000)\n')
  // Some pages apply a file that another page exports.
  writeFileSync(
    join(home, 'hello.yaml'),
    'schema: disco.registry/v1\nendpoints: [{ service: hello, addr: "127.0.0.1:1003", leased: false }]\n',
  )
  const network = `--import ${fileURLToPath(NETWORK)}`
  const etcdPort = etcd.endpoint.replace(/^.*:/, '')
  disco = new Disco('', {
    HOME: home,
    XDG_CACHE_HOME: home,
    DC2_PASSWORD: 'secret',
    NODE_OPTIONS: network,
    ETCD_PORT: etcdPort,
  })
})

afterAll(async () => {
  await disco.stopAll()
  await backends.close()
  await etcd.stop()
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
})

test('the docs contain commands', () => {
  expect(COMMANDS.map(({ line }) => line)).toContain('disco ls hello')
})

describe('a command in the docs is known to disco, and does not fail with a bug', () => {
  test.each(COMMANDS)('$place $line', async ({ line, block }) => {
    const config = join(home, `config-${block}`)
    const words = `unset DISCO_ENDPOINTS; export XDG_CONFIG_HOME=${config}; cd ${home}; ${inForeground(line)}`
    const running = disco.shell(words)
    if (STAYS.test(line)) await running.printed(/\S/)
    const { code, stderr } = await (STAYS.test(line) ? running.end('SIGINT') : running.exited())
    const isAnswer = !WRONG.includes(code ?? 0) || (code === 1 && COMPARES.test(line))
    expect(isAnswer ? '' : stderr).toBe('')
  })
})
