import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type Bootstrap, bootstrapFor } from '../../src/cli/xds/bootstrap.js'
import { pythonWithGrpc } from './c-core.js'
import { until } from './disco.js'
import { PATHS } from './four-kinds.js'
import { fetchGrpcJsXds } from './grpc-js.js'

const PYTHON_CLIENT = fileURLToPath(new URL('./xds-client.py', import.meta.url))
const NODE_CLIENT = fileURLToPath(new URL('./xds-client.cjs', import.meta.url))

/** The gRPC implementations with which the tests dial `xds:` targets. */
export type XdsLibrary = 'C-core' | 'grpc-js'

export interface CallCounts {
  /** Number of replies by the backend’s address. */
  readonly answers: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
}

/** A real gRPC client in a process, with one channel to `xds:///SERVICE`. */
export class XdsClient implements Disposable {
  private readonly lines: AsyncIterator<string>
  private stderr = ''

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    if (!child.stdout) throw new Error('no standard output')
    this.lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  /** @param listen `host:port` of the control plane */
  static start(library: XdsLibrary, listen: string, service = 'hello'): XdsClient {
    const folder = mkdtempSync(join(tmpdir(), 'disco-xds-'))
    const file = join(folder, 'bootstrap.json')
    writeFileSync(file, JSON.stringify(bootstrapOfTest(listen, library)))
    const [command, args, env] = commandOf(library, `xds:///${service}`)
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, ...env, GRPC_XDS_BOOTSTRAP: file },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    return new XdsClient(child, folder)
  }

  /** Makes calls one after the other, with a pause of `periodMs` after each. */
  async call(calls: number, periodMs = 0): Promise<CallCounts> {
    this.child.stdin?.write(`${calls} ${periodMs}\n`)
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`The client ended: ${this.stderr}`)
    return JSON.parse(value) as CallCounts
  }

  /** Kills the process like a crash. */
  async kill(): Promise<void> {
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, maxRetries: 5 })
  }
}

function bootstrapOfTest(listen: string, library: XdsLibrary): Bootstrap {
  const [host = '', port] = listen.split(':')
  return bootstrapFor([], {
    listen: { host, port: Number(port) },
    isTls: false,
    hostname: `test of ${library}`,
  })
}

function commandOf(
  library: XdsLibrary,
  target: string,
): [string, string[], Readonly<Record<string, string>>] {
  if (library === 'grpc-js')
    return [process.execPath, [NODE_CLIENT, fetchGrpcJsXds(), target, PATHS.Unary], {}]
  const { python, env } = pythonWithGrpc()
  return [python, [PYTHON_CLIENT, target, PATHS.Unary], env]
}

/**
 * Makes calls until the client has received a change. No call may fail meanwhile, unless `failures` is "failing
 * before".
 */
export async function follows(
  client: XdsClient,
  isThere: (counts: CallCounts) => boolean,
  failures: 'none' | 'failing before' = 'none',
): Promise<void> {
  await until(
    async () => {
      const counts = await client.call(failures === 'none' ? 400 : 1)
      if (failures === 'none') expect(counts.failures).toEqual({})
      return isThere(counts)
    },
    () => 'the client to follow',
  )
}

/** Limit in standard deviations: fewer than one in 100,000 correct clients exceeds it, and a run has dozens. */
const STANDARD_DEVIATIONS = 4.5

/**
 * Makes calls until each address has answered once, and then as many as the limit needs, because clients pick the
 * address of each call at random.
 *
 * @param shares fraction of all calls by address; 0 is exact
 * @param within maximum difference of a fraction
 */
export async function expectShares(
  client: XdsClient,
  shares: Readonly<Record<string, number>>,
  within = 0.03,
): Promise<void> {
  const called = Object.keys(shares).filter((addr) => shares[addr] !== 0)
  await follows(client, ({ answers }) => called.every((addr) => answers[addr] !== undefined))
  const variance = Math.max(...Object.values(shares).map((share) => share * (1 - share)))
  const calls = Math.ceil(variance * (STANDARD_DEVIATIONS / within) ** 2)
  const { answers, failures } = await client.call(calls)
  expect(failures).toEqual({})
  for (const [addr, share] of Object.entries(shares)) {
    const error = Math.abs((answers[addr] ?? 0) / calls - share)
    expect(error, `${addr} ${JSON.stringify(answers)}`).toBeLessThanOrEqual(share === 0 ? 0 : within)
  }
}
