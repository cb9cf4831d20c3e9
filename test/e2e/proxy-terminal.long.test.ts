import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { putAll } from '../support/etcd-state.js'
import { unary } from '../support/four-kinds.js'
import { backend, clientOf, shows, stopAfterEach } from '../support/proxy-terminal.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

stopAfterEach()

it('a proxy keeps serving while its terminal accepts no output', async () => {
  const one = await backend()
  const dead = Array.from({ length: 40 }, (_, at) => ({ addr: `127.0.0.1:${1 + at}`, weight: 1 }))
  await putAll(etcd, 'hello', [{ addr: one.addr, weight: 1 }, ...dead])
  const screen = disco.onTerminal(200, 60, 'proxy', 'hello', '--listen', ':0')
  await shows(screen, /41 endpoints, 1 READY/)
  const client = clientOf(screen)
  // Simulates a connection that hangs: the reader of the terminal is stopped, and frames fill the terminal’s buffer.
  const reader = screen.child.pid ?? 0
  const proxyPid = Number(readFileSync(`/proc/${reader}/task/${reader}/children`, 'utf8'))
  process.kill(reader, 'SIGSTOP')
  try {
    for (let frame = 0; frame < 60; frame++) {
      process.kill(proxyPid, 'SIGHUP')
      await delay(60)
      expect((await unary(client, { deadlineMs: 5_000 })).code, `call ${frame}`).toBe(status.OK)
    }
  } finally {
    process.kill(reader, 'SIGCONT')
  }
  await shows(screen, /SIGHUP: certificates/)
  expect((await screen.pressCtrlC()).code).toBe(0)
})

it('a proxy prints lines if its output is piped, or if the terminal supports no more', async () => {
  const one = await backend()
  await putAll(etcd, 'hello', [{ addr: one.addr, weight: 1 }])
  const piped = disco.into('pipe', 'cat', 'proxy', 'hello', '--listen', ':0')
  await piped.printed('Ctrl-C: finish the calls')
  const { stdout, stderr } = await piped.end('SIGTERM')
  expect(stdout + stderr).not.toContain('\u001b')
  expect(stdout + stderr).toMatch(/✓ proxy on .*\n {2}etcd:\/\/\/hello: 1 endpoint, 1 READY\n/)
})
