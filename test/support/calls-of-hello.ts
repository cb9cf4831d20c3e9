import { expect } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import type { Disco, Process, Ran, Tool } from './disco.js'
import type { Etcd } from './etcd.js'
import { type Placed, putAll, registration } from './etcd-state.js'
import { PROTOS } from './protoc.js'
import { toolOnEtcd } from './tool-on-etcd.js'

/** More calls than any test waits for, so that a run ends only by a signal. */
export const ENDLESS = ['--n', '100000000']

/**
 * Ends the wait of a run after two seconds if some endpoints never become READY. A refused endpoint makes its second
 * attempt within about a second, and on a busy machine the first of a hundred takes as long to become READY.
 * `CallsOfHello` passes it to every run without a deadline flag of its own.
 */
export const SOON = ['--connect-deadline', '2s']

/**
 * For exact numbers of picks from a hundred endpoints: all are READY before the first call, also on a busy machine. The
 * mute endpoint makes each run wait for the whole deadline.
 */
export const ALL_READY = ['--connect-deadline', '5s']

/** Flags that describe a method which the greeters do not have. */
export const FROM_PROTO = ['--proto', 'everything.proto', '--import-path', PROTOS]

/** Runs `disco call hello …` for a test file against a real etcd, in which the tests register `hello`. */
export async function callsOfHello(): Promise<CallsOfHello> {
  const { etcd, disco, tool } = await toolOnEtcd()
  return new CallsOfHello(etcd, disco, tool)
}

class CallsOfHello {
  constructor(
    readonly etcd: Etcd,
    readonly disco: Disco,
    private readonly tool: Tool,
  ) {}

  async put(addr: string, options: { version?: string; weight?: number } = {}): Promise<void> {
    await this.etcd.ctl('put', ...registration('hello', addr, options))
  }

  async putAll(...placed: readonly Placed[]): Promise<void> {
    await putAll(this.etcd, 'hello', placed)
  }

  async run(...args: string[]): Promise<Ran> {
    return await this.disco.run('call', 'hello', 'SayHello', ...soon(args))
  }

  /** Runs the command in the resident process, for calls that are refused. */
  async refused(...args: string[]): Promise<Ran> {
    return await this.tool.run('call', 'hello', 'SayHello', ...soon(args))
  }

  /** Standard output of a successful command. */
  async output(...args: string[]): Promise<string> {
    const ran = await this.disco.run('call', 'hello', ...soon(args))
    expect(ran.code, ran.stderr).toBe(0)
    return ran.stdout
  }

  async reportOf(...args: string[]): Promise<CallDoc> {
    return JSON.parse(await this.output('SayHello', '--json', ...args)) as CallDoc
  }

  /** Starts a run that continues until it is stopped. */
  startRun(...args: string[]): Process {
    return this.disco.start('call', 'hello', 'SayHello', ...ENDLESS, ...soon(args))
  }
}

function soon(args: readonly string[]): string[] {
  return args.includes('--connect-deadline') ? [...args] : [...SOON, ...args]
}

/** Interrupts a run and returns its report. */
export async function interrupted(running: Process): Promise<CallDoc> {
  const { stdout, code } = await running.end('SIGINT')
  expect(code).toBe(130)
  return JSON.parse(stdout) as CallDoc
}

export function lines<Line>(ndjson: string): Line[] {
  return ndjson
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}
