import { beforeEach, describe, expect, test } from 'vitest'
import type { DoctorDoc } from '../../src/cli/doctor/document.js'
import { brokenRegistry } from '../support/broken-registry.js'
import { deadEndpoints } from '../support/dead-endpoints.js'
import { grantLease, registration, storedText } from '../support/etcd-state.js'
import { TlsServers } from '../support/tls-servers.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()
const broken = await brokenRegistry()
const { leftover, well } = broken
const { mute } = await deadEndpoints()
const [hello = ''] = well

beforeEach(() => broken.put(etcd))

describe('disco doctor on a terminal', () => {
  test('Ctrl-C while servers are probed prints the findings so far and the rest as not checked, and exits 130', async () => {
    await etcd.ctl(
      'put',
      ...registration('hello', mute, { weight: 1 }),
      `--lease=${await grantLease(etcd, 60)}`,
    )
    const started = disco.onTerminal(200, 40, 'doctor', 'hello', '--probe-timeout', '1m')
    await started.printed('probing servers: 3 of 4')
    const { code, stdout } = await started.pressCtrlC()
    expect(code).toBe(130)
    expect(stdout).toContain(`not checked: health of ${mute}: interrupted`)
    expect(stdout).toContain('D003')
  })

  test('--fix shows the findings, marks those that it would fix, and asks', async () => {
    const asked = disco.onTerminal(200, 24, 'doctor', 'hello', '--fix')
    await asked.printed(`Really remove the leftover key /hello/1.0.0/${leftover}? [y/N]`)
    const [shown = ''] = asked.stdout.split('Really remove')
    for (const text of ['D001', 'D002', 'D003', '→ would be removed by --fix']) expect(shown).toContain(text)
    asked.child.stdin?.write('n\n')
    expect((await asked.exited()).code).toBe(130)
    expect(await storedText(etcd, `/hello/1.0.0/${leftover}`)).not.toBe('')
  })
})

describe('the commands of findings', () => {
  test('affect one endpoint only, even if the service is named like a flag or like shell syntax', async () => {
    const names = ['--all', "it's", 'a b', 'x;touch y']
    for (const name of names) {
      await etcd.ctl('put', '--', ...registration(name, leftover, { weight: 1 }))
      await etcd.ctl('put', '--', ...registration(name, hello, { weight: 1 }))
    }
    const { doc } = { doc: JSON.parse((await tool.run('doctor', '--json')).stdout) as DoctorDoc }
    const commands = doc.findings.flatMap(({ service, addr, code, mend }) =>
      code === 'D001' && addr === leftover && names.includes(service ?? '') ? [mend.command] : [],
    )
    expect(commands).toHaveLength(names.length)
    const ran = await disco.shell(`set -e; ${commands.join('; ')}`).exited()
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    for (const name of names) {
      expect(await storedText(etcd, `/${name}/${leftover}`), name).toBe('')
      expect(await storedText(etcd, `/${name}/${hello}`), name).not.toBe('')
    }
  })
})

test('doctor reports a TLS endpoint to plaintext clients, and a plaintext endpoint to TLS clients', async () => {
  await using servers = await TlsServers.start()
  const { tls, plain } = servers.greeters
  for (const { addr } of [tls, plain]) {
    const lease = `--lease=${await grantLease(etcd, 60)}`
    await etcd.ctl('put', ...registration('mixed', addr, { weight: 1 }), lease)
  }
  const found = async (...flags: string[]) => {
    // The first TLS connection of a process may take seconds on a busy machine.
    const { stdout } = await tool.run('doctor', 'mixed', '--probe-timeout', '20s', ...flags, '--json')
    const { findings } = JSON.parse(stdout) as DoctorDoc
    return findings.map(({ code, severity, addr, text }) => ({ code, severity, addr, text }))
  }
  const mismatch = { code: 'D004', severity: 'error' }
  expect(await found()).toEqual([{ ...mismatch, addr: tls.addr, text: 'speaks TLS (try --tls)' }])
  expect(await found('--tls-ca', servers.authority.caFile, '--tls-name', 'other.example')).toEqual([
    { ...mismatch, addr: plain.addr, text: 'speaks plaintext (leave --tls out)' },
  ])
})
