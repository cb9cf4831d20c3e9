import { afterAll, describe, expect, test } from 'vitest'
import type { KeyPairFiles } from './certificates.js'
import type { Disco, Tool } from './disco.js'
import type { Etcd } from './etcd.js'
import { putAll } from './etcd-state.js'
import { mutualFlags, TlsServers } from './tls-servers.js'
import { toolOnEtcd } from './tool-on-etcd.js'

/** A server, the flags of a command, and the result that every command must report. */
export type TlsCase = [
  what: string,
  whom: keyof TlsServers['greeters'],
  args: () => string[],
  message: string,
]

/** Servers with different TLS settings, and the tool, for a test file. */
export async function tlsVerdicts(): Promise<TlsVerdicts> {
  const { etcd, disco, tool } = await toolOnEtcd()
  const servers = await TlsServers.start()
  afterAll(() => servers[Symbol.asyncDispose]())
  return new TlsVerdicts(etcd, disco, tool, servers)
}

class TlsVerdicts {
  constructor(
    readonly etcd: Etcd,
    readonly disco: Disco,
    readonly tool: Tool,
    readonly servers: TlsServers,
  ) {}

  /** Flags to trust the CA of the servers. */
  readonly ca = (): string[] => ['--tls-ca', this.servers.authority.caFile]

  /** Flags to trust the CA of the servers and present a client certificate. */
  mutual(pair: KeyPairFiles): string[] {
    return mutualFlags(this.servers.authority, pair)
  }

  /** Tests these cases in the calling file. */
  describe(cases: readonly TlsCase[]): void {
    describe('health, ls --probe, wait and call connect by TLS, and report a mismatch with the same sentence', () => {
      test.each(cases)('%s', async (_what, whom, args, message) => {
        const found = await this.verdicts(this.servers.greeters[whom].addr, args())
        expect(found).toEqual({ health: message, ls: message, wait: message, call: message })
      })
    })
  }

  /** The result that each command reports for the only endpoint. */
  private async verdicts(addr: string, args: readonly string[]): Promise<Record<string, string>> {
    await putAll(this.etcd, 'hello', [{ addr }])
    const health = JSON.parse((await this.tool.run('health', 'hello', '--json', ...args)).stdout)
    const ls = JSON.parse((await this.tool.run('ls', 'hello', '--probe', '--json', ...args)).stdout)
    const wait = await this.tool.run(
      'wait',
      'hello',
      '--for',
      'healthy>=1',
      '--timeout',
      '0',
      '--json',
      ...args,
    )
    const call = await this.tool.run(
      'call',
      'hello',
      'SayHello',
      '--connect-deadline',
      '1s',
      '--json',
      ...args,
    )
    return {
      health: health.endpoints[0].problem ?? health.endpoints[0].status,
      ls: ls.endpoints[0].health,
      wait: wait.code === 0 ? 'SERVING' : hintAbout(addr, wait.stdout),
      call: call.code === 0 ? 'SERVING' : hintAbout(addr, call.stdout),
    }
  }
}

function hintAbout(addr: string, stdout: string): string {
  const { hint } = (JSON.parse(stdout) as { error: { hint: string } }).error
  const line = hint.split('\n').find((text) => text.startsWith(addr)) ?? hint
  return line.slice(addr.length + 1)
}
