import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { findEtcd } from './etcd-binary.js'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs etcdctl (API version 3) against an endpoint to its end. */
export async function etcdctl(endpoint: string, args: readonly string[], input = ''): Promise<Finished> {
  const child = startEtcdctl(endpoint, args)
  if (child.stdin === null || child.stdout === null || child.stderr === null) throw new Error('no pipes')
  // etcdctl 3.5 may close its standard input before anything was written.
  child.stdin.on('error', () => undefined).end(input)
  const ended = once(child, 'close') as Promise<[number | null]>
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

/** Starts an etcdctl command that runs until it is stopped, such as watch or keep-alive. */
export function startEtcdctl(endpoint: string, args: readonly string[]): ChildProcess {
  // PATH is needed by the command that `etcdctl lock` runs.
  const env = { PATH: process.env.PATH, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: endpoint }
  return spawn(findEtcd('etcdctl'), args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
}
