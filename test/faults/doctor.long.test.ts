import { describe, expect, test } from 'vitest'
import type { DoctorDoc } from '../../src/cli/doctor/document.js'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { registration } from '../support/etcd-state.js'
import { GrpcProxy } from '../support/grpc-proxy.js'

/** Runs `disco doctor --no-probe`. Returns its exit code, its document, and the codes of findings about etcd. */
async function doctor(endpoints: string, ...args: string[]) {
  const disco = new Disco(endpoints)
  const { code, stdout, stderr } = await disco.run('doctor', ...args, '--no-probe', '--json')
  const doc = JSON.parse(stdout) as DoctorDoc
  const codes = (doc.findings ?? []).filter(({ service }) => service === null).map((one) => one.code)
  return { code, doc, codes, stderr }
}

describe.each(versionsUnderTest())('disco doctor on etcd %s', (version) => {
  test('finds a NOSPACE alarm', async () => {
    await using etcd = await RealEtcd.start({ version, args: ['--quota-backend-bytes', '100000'] })
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:1'))
    const fill = async () => {
      for (let at = 0; at < 100; at++) await etcd.ctl('put', `/fill/${at}`, 'x'.repeat(20_000))
    }
    await expect(fill()).rejects.toThrow()
    const { code, doc, codes } = await doctor(etcd.endpoint)
    expect({ code, codes }).toEqual({ code: 9, codes: ['D020'] })
    expect(doc.findings[0]).toMatchObject({ text: 'NOSPACE', severity: 'error' })
    expect(doc.checks[0]).toMatchObject({ name: 'etcd', ok: false })
  })

  test('finds a grpc-proxy, and reports none for etcd itself', async () => {
    await using etcd = await RealEtcd.start({ version })
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:1'))
    await using proxy = await GrpcProxy.start(etcd.endpoint, version)
    expect((await doctor(proxy.endpoint)).codes).toEqual(['D025'])
    expect((await doctor(etcd.endpoint)).codes).toEqual([])
  })

  test('with a role for one prefix checks what it may read, and exits 3 for all services', async () => {
    await using etcd = await RealEtcd.start({ version })
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:1'))
    await enableAuth(etcd, [{ name: 'app', password: 'secret', prefix: '/hello/' }])
    const disco = new Disco(etcd.endpoint, { DISCO_USER: 'app:secret' })
    const own = await disco.run('doctor', 'hello', '--no-probe', '--json')
    expect(own.code).toBe(9)
    const doc = JSON.parse(own.stdout) as DoctorDoc
    expect(doc.findings.map(({ code }) => code)).toEqual(['D001'])
    expect(doc.unchecked.map(({ what }) => what)).toContain('health of 1 endpoint')
    const all = await disco.run('doctor', '--no-probe', '--json')
    expect(all.code).toBe(3)
    // The command fails even if etcd lets such a user read its status.
    expect(all.stdout).toContain('"code": "ETCD_DENIED"')
  })

  test('finds a silent member, a missing leader, and members of two clusters', async () => {
    await using cluster = await EtcdCluster.start(version)
    const [first] = cluster.members
    if (!first) throw new Error('a cluster of three')
    const endpoints = cluster.members.map(({ endpoint }) => endpoint).join(',')
    await first.ctl('put', ...registration('hello', '10.0.0.1:1'))
    const whole = await doctor(endpoints)
    expect(whole.codes).toEqual([])
    expect(whole.doc.unchecked.filter(({ what }) => what.includes('etcd'))).toEqual([])
    // With the endpoint of one member only, the other members are listed as not checked.
    const { doc: ofOne } = await doctor(first.endpoint)
    expect(ofOne.unchecked.filter(({ what }) => what.includes('etcd'))).toEqual(
      cluster.members.slice(1).map(({ place }) => ({
        what: expect.stringContaining(`state of the etcd member ${place.name} at http://`) as string,
        why: '--endpoints does not name it, or not by this address',
      })),
    )
    await using other = await RealEtcd.start({ version })
    expect((await doctor(`${endpoints},${other.endpoint}`)).codes).toEqual(['D022'])
    const leader = await cluster.leader()
    // A member that can be killed while the other two keep their leader.
    const third = cluster.members.findLast((member) => member !== leader)
    const second = cluster.members.find((member) => member !== first && member !== third)
    if (!second || !third) throw new Error('a cluster of three')
    await third.kill()
    const silent = await doctor(endpoints)
    expect(silent.codes).toEqual(['D023'])
    const finding = silent.doc.findings.find(({ code }) => code === 'D023')
    expect(finding?.member).toContain(third.endpoint)
    await second.kill()
    // The last member needs time to notice that the others are gone.
    await expect
      .poll(async () => (await doctor(endpoints, '--command-timeout', '3s')).codes, {
        timeout: 40_000,
        interval: 200,
      })
      .toEqual(['D021', 'D023', 'D023'])
    const alone = await doctor(endpoints, '--command-timeout', '3s')
    expect(alone.code).toBe(3)
    expect(alone.doc.unchecked.map(({ what }) => what)).toContain('registrations')
    expect(alone.stderr).toContain('✗')
  })
})

describe('disco doctor while etcd hangs', () => {
  const endless = ['--command-timeout', '1h', '--dial-timeout', '1h']

  test('Ctrl-C during the reading lists the remaining checks as not checked, with exit code 130', async () => {
    await using etcd = await RealEtcd.start()
    etcd.pause()
    const disco = new Disco(etcd.endpoint)
    const started = disco.onTerminal(200, 24, 'doctor', ...endless)
    try {
      await started.printed('reading etcd')
      const { code, stdout } = await started.pressCtrlC()
      expect(code).toBe(130)
      expect(stdout).toContain('? not checked: state of 1 member of etcd: interrupted')
      expect(stdout).toContain('? not checked: registrations: interrupted')
      expect(stdout).toContain('no registration was read; not everything could be checked')
    } finally {
      await disco.stopAll()
    }
  })

  test('Ctrl-C twice during the removal of a key ends the command at once, with an unknown outcome', async () => {
    await using etcd = await RealEtcd.start()
    await etcd.ctl('put', ...registration('hello', '127.0.0.9:9'))
    const disco = new Disco(etcd.endpoint)
    const started = disco.onTerminal(200, 24, 'doctor', '--fix', ...endless)
    try {
      await started.printed('Really remove the leftover key')
      etcd.pause()
      started.child.stdin?.write('y\n')
      const pressing = setInterval(() => started.child.stdin?.write('\u0003'), 300)
      const { code, stdout } = await started.exited()
      clearInterval(pressing)
      expect(code).toBe(130)
      expect(stdout).toContain('Interrupted: the last removal may still take effect')
    } finally {
      await disco.stopAll()
    }
  })
})

test('doctor without any answer from etcd fails like every command', async () => {
  const ran = await new Disco('127.0.0.1:1').run('doctor')
  expect(ran).toMatchObject({ code: 3, stdout: '' })
  expect(ran.stderr).toContain('etcd is not reachable at 127.0.0.1:1')
})
