import { beforeEach, describe, expect, test } from 'vitest'
import type { DoctorDoc } from '../../src/cli/doctor/document.js'
import { RULES } from '../../src/doctor/rules/index.js'
import { brokenRegistry } from '../support/broken-registry.js'
import { registration, revision, storedText, storedWeight } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()
const broken = await brokenRegistry()
const { leftover, dead, drained, sick, well } = broken
const [hello = ''] = well

beforeEach(() => broken.put(etcd))

async function doctor(...args: string[]): Promise<{ code: number | null; doc: DoctorDoc }> {
  const { code, stdout } = await tool.run('doctor', ...args, '--json')
  return { code, doc: JSON.parse(stdout) as DoctorDoc }
}

const codesOf = ({ findings }: DoctorDoc, of: string) =>
  findings.filter(({ addr }) => addr === of).map(({ code }) => code)

/** The lines of a table with single spaces, so that column widths, which depend on ports, do not matter. */
const lines = (stdout: string) => stdout.replaceAll(/ +/g, ' ')

describe('disco doctor, on 3 services on 5 hosts, 2 dead, 1 drained, 1 NOT_SERVING', () => {
  test('reports each problem with its age, its effect and the command that fixes it, and exits 9', async () => {
    const { code, stdout, stderr } = await tool.run('doctor')
    expect({ code, stderr }).toEqual({
      code: 9,
      stderr: `4 errors, 1 warning in 3 services, 7 endpoints (rev ${await revision(etcd)})\n`,
    })
    const createdAt = /no lease +\S+ +since rev (\d+)/.exec(stdout)?.[1]
    expect(lines(stdout)).toContain(
      [
        `✗ D001 no lease /hello/1.0.0/${leftover} since rev ${createdAt}; never expires`,
        ` fix: disco unregister hello ${leftover} (or restart its server)`,
        `✗ D002 not reachable /hello/1.0.0/${leftover} connection refused (registered at rev ${createdAt}); 20.0% of the traffic has no server`,
        ` fix: disco unregister hello ${leftover} (or start its server)`,
        `✗ D003 not serving /hello/1.0.0/${sick} NOT_SERVING; 20.0% of the traffic goes to a server that does not serve`,
        ` fix: disco weight hello ${sick} 0 (or mend its server)`,
      ].join('\n'),
    )
    expect(lines(stdout)).toMatch(
      new RegExp(
        `! D010 drained /search/${drained} since rev \\d+; weight 0; it gets no traffic\\n fix: disco drain search ${drained} --undo`,
      ),
    )
    expect(stdout).toMatch(
      /\n✓ etcd 3\.\d+\.\d+, 1\/1 answer, [\d.]+m?s {3}✓ leases of 3s or more 6\/6 {3}✗ health SERVING 4\/7\n$/,
    )
    const { doc } = await doctor()
    expectShape('doctor', doc, (await doctor('hello', leftover)).doc, (await doctor('--no-probe')).doc)
    expect([leftover, dead, drained, sick, ...well].map((addr) => codesOf(doc, addr))).toEqual([
      ['D001', 'D002'],
      ['D002'],
      ['D010'],
      ['D003'],
      [],
      [],
    ])
    const ndjson = await tool.run('doctor', '-o', 'ndjson')
    expectShape(
      'finding',
      ...ndjson.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    )
    const names = (await tool.run('doctor', 'hello', '-o', 'name')).stdout.trimEnd().split('\n')
    expect(names.toSorted()).toEqual([leftover, sick].toSorted())
  })

  test('prints commands that run unchanged and leave no error', async () => {
    const { doc } = await doctor()
    const commands = [...new Set(doc.findings.flatMap(({ mend }) => mend.command ?? []))]
    expect(commands).toHaveLength(4)
    const ran = await disco.shell(`set -e; ${commands.join('; ')}`).exited()
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    const after = await doctor()
    expect({ code: after.code, errors: after.doc.errors }).toEqual({ code: 0, errors: 0 })
    expect(await storedWeight(etcd, `/search/${drained}`)).toBe(4)
  })

  test.each([
    [leftover, 'none', 'it gets no traffic: no connection to its server: connection refused', 9],
    [sick, 'none', 'it gets no traffic: its server reports NOT_SERVING', 9],
    [hello, 'some', 'it does get traffic: it is registered and SERVING, weight 6, 60.0% of the calls', 0],
  ])('explains why %s gets traffic or not', async (addr, traffic, text, exit) => {
    const { code, doc } = await doctor('hello', addr)
    expect(doc.answers).toMatchObject([{ addr, traffic, text: expect.stringContaining(text) as string }])
    expect(code).toBe(exit)
    expect((await tool.run('doctor', 'hello', addr)).stdout).toContain(`${addr}: ${text}`)
  })

  test('reports weight 0 for a drained endpoint, and NOT_FOUND for an unknown one', async () => {
    const { code, doc } = await doctor('search', drained)
    expect(doc.answers[0]?.text).toMatch(/^it gets no traffic: its weight is 0 since rev \d+: it is drained$/)
    expect(code).toBe(0)
    expect(await tool.run('doctor', 'search', hello)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`No endpoint of search is ${hello}`) as string,
    })
    expect((await tool.run('doctor', 'serach')).stderr).toContain('Did you mean search?')
  })

  test('selects by host across all services', async () => {
    const { doc } = await doctor('--host', '127.0.0.6')
    expect(doc.findings.map(({ code, addr }) => [code, addr])).toEqual([['D002', dead]])
  })

  test('lists health as not checked with --no-probe, and does not report it as healthy', async () => {
    const { doc } = await doctor('payments', '--no-probe')
    expect(doc.unchecked).toEqual([{ what: 'health of 2 endpoints', why: 'left out by --no-probe' }])
    expect(doc.checks.map(({ name }) => name)).toEqual(['etcd', 'leases'])
    const { stdout, stderr } = await tool.run('doctor', 'payments', '--no-probe')
    expect(stdout).toContain('? not checked: health of 2 endpoints: left out by --no-probe')
    expect(stderr).toContain('no error, no warning in 1 service, 2 endpoints')
    expect(stderr).toContain('not everything could be checked')
  })
})

describe('disco doctor if no service can be read', () => {
  test('lists unreadable keys as not checked, and reports nothing as healthy', async () => {
    await etcd.ctl('put', '/only bad/hello/1.0.0/127.0.0.1:1', '{"broken')
    const { code, stdout, stderr } = await tool.run('doctor', '--root', '/only bad')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `no service was found (rev ${await revision(etcd)}); not everything could be checked\n`,
    })
    expect(stdout).toContain(
      '? not checked: 1 other key: not readable as registrations; name a service to examine its keys',
    )
    expect((await tool.run('doctor', '--root', '/empty')).stderr).toBe(
      `no service was found (rev ${await revision(etcd)})\n`,
    )
  })

  test('names a root under which the keys would be registrations', async () => {
    await etcd.ctl('put', `/prod/search/${hello}`, registration('search', hello)[1])
    const { doc } = await doctor('--layout', 'seed')
    expect(doc.unchecked).toContainEqual({
      what: '1 other key',
      why: 'not readable as registrations; with --root "/prod" some are',
    })
  })
})

describe('disco doctor --fix', () => {
  const keyOf = `/hello/1.0.0/${leftover}`

  test('shows the fix and writes nothing with --dry-run, and needs --yes without a terminal', async () => {
    const before = await revision(etcd)
    const dry = await tool.run('doctor', 'hello', '--fix', '--dry-run')
    expect(dry.stdout).toContain('→ would be removed by --fix')
    expect(await tool.run('doctor', 'hello', '--fix')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`✗ Not done without --yes: remove the leftover key ${keyOf}`) as string,
    })
    expect(await revision(etcd)).toBe(before)
  })

  test('removes the leftover registration, but nothing that needs a human decision', async () => {
    const before = await revision(etcd)
    const { code, doc } = await doctor('--fix', '--yes')
    expect(doc.findings.map(({ code: of, addr, fixed }) => [of, addr, fixed]).slice(0, 2)).toEqual([
      ['D001', leftover, 'removed'],
      ['D002', leftover, 'removed'],
    ])
    expect({ code, errors: doc.errors }).toEqual({ code: 9, errors: 2 })
    expect(await storedText(etcd, keyOf)).toBe('')
    expect(await revision(etcd)).toBe(before + 1)
  })

  test.each([
    [['--yes'], '--yes has no effect without --fix'],
    [['--dry-run'], '--dry-run has no effect without --fix'],
    [['--fix', '--no-probe'], '--fix has no effect with --no-probe'],
    [['--no-probe', '--tls'], '--tls has no effect with --no-probe'],
  ])('%j is refused', async (args, message) => {
    expect(await tool.run('doctor', ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message) as string,
    })
  })
})

describe('the commands of findings', () => {
  test('contain the etcd endpoints and the root of the command line', async () => {
    await etcd.ctl('put', `/my root/hello/${leftover}`, registration('hello', leftover)[1])
    const { doc } = await doctor('hello', '--root', '/my root', '--endpoints', etcd.endpoint)
    expect(doc.findings[0]?.mend.command).toBe(
      `disco unregister hello ${leftover} --endpoints ${etcd.endpoint} --root '/my root'`,
    )
  })
})

test('disco help has a list of findings, and a page for each', async () => {
  const { stdout } = await tool.run('help', 'findings')
  for (const { code, title } of RULES) expect(stdout).toContain(`${code} ${title}`)
  const page = await tool.run('help', 'd001')
  expect(page.stdout).toMatch(/^D001 no lease \(error\)\n\nThe key has no lease, so it never expires\./)
  for (const line of page.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})
