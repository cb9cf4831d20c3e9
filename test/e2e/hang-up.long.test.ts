import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { shows } from '../support/proxy-terminal.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { disco } = await toolOnEtcd()

it.each([['proxy'], ['xds']])('disco %s ends when its terminal is closed', async (command) => {
  const terminal = disco.onTerminal(120, 30, command, 'hello', '--listen', ':0')
  // The progress line before it shows the address of etcd, and then SIGHUP would end the command.
  await shows(terminal, /(proxy|xDS on) 127\.0\.0\.1:\d+/)
  const pid = terminal.child.pid ?? 0
  const tool = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
  try {
    process.kill(tool, 'SIGHUP')
    await terminal.printed('SIGHUP: certificates')
    await terminal.end('SIGKILL')
    await until(
      () => !existsSync(`/proc/${tool}`),
      () => `the end of disco ${command}`,
    )
    expect(existsSync(`/proc/${tool}`)).toBe(false)
  } finally {
    if (existsSync(`/proc/${tool}`)) process.kill(tool, 'SIGKILL')
  }
})
