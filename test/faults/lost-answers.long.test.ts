import { describe, expect, test } from 'vitest'
import { AnswerLoss, type Loss } from '../support/answer-loss.js'
import { Disco, type Ran } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import {
  grantLease,
  putAll,
  registration,
  revision,
  storedText,
  storedWeight,
  untilGone,
} from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const ADDR = '127.0.0.1:1001'
const OTHER = '127.0.0.1:1002'
const KEY = `/hello/${ADDR}`
const OTHER_KEY = `/hello/${OTHER}`

const put = (addr: string, weight: number, ...args: string[]) =>
  etcd.ctl('put', ...registration('hello', addr, { weight }), ...args)

interface LossRun extends Ran {
  /** The JSON document that the command printed. */
  readonly doc: Record<string, unknown>
}

/** Runs a command with --json. The answer to its next write of a key is lost. */
async function losing(key: string, args: readonly string[], loss: Loss = {}): Promise<LossRun> {
  await using proxy = await AnswerLoss.start(etcd)
  proxy.loseNext(key, loss)
  const ran = await tool.run(...args, '--json', '--endpoints', proxy.endpoint)
  expect(proxy.lost).toBe(1)
  return { ...ran, doc: JSON.parse(ran.stdout) as Record<string, unknown> }
}

/** Number of writes of a key since its creation. */
async function writesOf(key: string): Promise<number> {
  const { kvs } = JSON.parse(await etcd.ctl('get', key, '-w', 'json')) as { kvs: { version: number }[] }
  return kvs[0]?.version ?? 0
}

const isUnknown = {
  code: 3,
  doc: {
    error: {
      code: 'OUTCOME_UNKNOWN',
      exit: 3,
      message: expect.stringMatching(/may (or may not )?have been/) as string,
    },
  },
}

describe('a write with a lost answer is read back and not repeated if etcd has carried it out:', () => {
  test('weight 5', async () => {
    const lease = await grantLease(etcd, 500)
    await put(ADDR, 10, `--lease=${lease}`)
    await put(OTHER, 10)
    const { code, doc } = await losing(KEY, ['weight', 'hello', ADDR, '5'])
    expect(code).toBe(0)
    expect(doc).toMatchObject({ changes: [{ key: KEY, from: 10, to: 5, written: true, lease }] })
    expect(doc.rev).toBe(String(await revision(etcd)))
    expect([await storedWeight(etcd, KEY), await writesOf(KEY)]).toEqual([5, 2])
  })

  test('weight --all, for several endpoints at once', async () => {
    await putAll(etcd, 'hello', [
      { addr: ADDR, weight: 1 },
      { addr: OTHER, weight: 2 },
    ])
    const { code, doc } = await losing(OTHER_KEY, ['weight', 'hello', '--all', '4'])
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(await revision(etcd)), changes: [{ to: 4 }, { to: 4 }] })
    expect([await storedWeight(etcd, KEY), await storedWeight(etcd, OTHER_KEY)]).toEqual([4, 4])
    expect([await writesOf(KEY), await writesOf(OTHER_KEY)]).toEqual([2, 2])
  })

  test('unregister, with the revision of the removal', async () => {
    await put(ADDR, 1)
    const { code, doc } = await losing(KEY, ['unregister', 'hello', ADDR])
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(await revision(etcd)), removed: [{ key: KEY }] })
  })

  test.each([
    ['weight', 0],
    ['removal', 1],
  ])('drain, of its %s', async (_, passing) => {
    await put(ADDR, 1)
    await put(OTHER, 1)
    const begin = await revision(etcd)
    const { code, doc } = await losing(KEY, ['drain', 'hello', ADDR, '--grace', '0s'], { passing })
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(begin + 2), unregistered: true })
    expect(await revision(etcd)).toBe(begin + 2)
  })

  test('drain --undo', async () => {
    await put(ADDR, 7)
    await put(ADDR, 0)
    await put(OTHER, 1)
    const { code, doc } = await losing(KEY, ['drain', 'hello', ADDR, '--undo'])
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(await revision(etcd)), changes: [{ from: 0, to: 7 }] })
    expect(await writesOf(KEY)).toBe(3)
  })

  test('register, with the lease that it reports', async () => {
    await using proxy = await AnswerLoss.start(etcd)
    proxy.loseNext(KEY)
    const held = disco.start('register', 'hello', ADDR, '-o', 'ndjson', '--endpoints', proxy.endpoint)
    await held.printed('"added"')
    const [added] = held.events() as { rev: string; lease: string }[]
    expect(proxy.lost).toBe(1)
    expect(added?.rev).toBe(String(await revision(etcd)))
    expect(await etcd.ctl('lease', 'timetolive', added?.lease ?? '', '--keys')).toContain(KEY)
    expect(await writesOf(KEY)).toBe(1)
  })
})

describe('a relative change with a lost answer has an unknown outcome, because another client may have made an equal change:', () => {
  test.each([
    ['+2', 12],
    ['-1', 9],
    ['50%', 5],
  ])('weight %s reports the current weight', async (change, to) => {
    await put(ADDR, 10)
    await put(OTHER, 10)
    const ran = await losing(KEY, ['weight', 'hello', ADDR, change])
    const message = `The weight of ${ADDR} of hello may or may not have been changed by ${change}: etcd's answer was lost. It is now ${to}`
    const hint = expect.stringContaining(`disco weight hello ${ADDR} ${to}`) as string
    expect(ran).toMatchObject({
      code: 3,
      doc: { error: { code: 'OUTCOME_UNKNOWN', exit: 3, message, hint } },
    })
    expect([await storedWeight(etcd, KEY), await writesOf(KEY)]).toEqual([to, 2])
  })

  test('of two changes of the same size, the one without an answer never arrived', async () => {
    await put(ADDR, 10)
    await put(OTHER, 10)
    const loss = { arrives: false, meanwhile: () => disco.run('weight', 'hello', ADDR, '+2') }
    const ran = await losing(KEY, ['weight', 'hello', ADDR, '+2'], loss)
    expect(ran).toMatchObject(isUnknown)
    expect(ran.doc).toMatchObject({ error: { message: expect.stringContaining('It is now 12') as string } })
    expect([await storedWeight(etcd, KEY), await writesOf(KEY)]).toEqual([12, 2])
  })

  test('--all reports the weights of all endpoints', async () => {
    await putAll(etcd, 'hello', [
      { addr: ADDR, weight: 1 },
      { addr: OTHER, weight: 2 },
    ])
    const ran = await losing(OTHER_KEY, ['weight', 'hello', '--all', '+3'])
    expect(ran).toMatchObject(isUnknown)
    const message = expect.stringContaining(`They are now ${ADDR} 4, ${OTHER} 5`) as string
    expect(ran.doc).toMatchObject({ error: { message } })
    expect([await writesOf(KEY), await writesOf(OTHER_KEY)]).toEqual([2, 2])
  })

  test('a key that was deleted or written again afterwards is reported with its current state', async () => {
    await put(ADDR, 1)
    await put(OTHER, 1)
    const now = async (meanwhile: () => Promise<unknown>) => {
      const ran = await losing(KEY, ['weight', 'hello', ADDR, '+2'], { meanwhile })
      expect(ran).toMatchObject(isUnknown)
      return (ran.doc as { error: { message: string } }).error.message
    }
    expect(await now(() => put(ADDR, 9))).toContain('It is now 9')
    expect(await now(() => etcd.ctl('del', KEY))).toContain('It is now gone')
  })
})

describe('a write that never arrived is made once:', () => {
  test.each([
    ['weight', ['weight', 'hello', ADDR, '+2'], 12],
    ['weight --all', ['weight', 'hello', '--all', '+2'], 12],
    ['unregister', ['unregister', 'hello', ADDR], null],
  ] as const)('%s', async (_, args, weight) => {
    await put(ADDR, 10)
    await put(OTHER, 10)
    const before = await revision(etcd)
    const { code, doc } = await losing(KEY, args, { arrives: false })
    expect(code).toBe(0)
    expect(doc.rev).toBe(String(before + 1))
    expect(await storedWeight(etcd, KEY)).toBe(weight)
  })
})

describe('a write of another client before the state is read back', () => {
  test('is kept, and the earlier own write is reported as done', async () => {
    await put(ADDR, 1)
    await put(OTHER, 1)
    const begin = await revision(etcd)
    const { code, doc } = await losing(KEY, ['weight', 'hello', ADDR, '5'], { meanwhile: () => put(ADDR, 7) })
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(begin + 1), changes: [{ from: 1, to: 5 }] })
    expect(await storedWeight(etcd, KEY)).toBe(7)
  })

  test('is the base of a relative change that never arrived', async () => {
    await put(ADDR, 1)
    await put(OTHER, 1)
    const loss = { arrives: false, meanwhile: () => put(ADDR, 9) }
    const { code, doc } = await losing(KEY, ['weight', 'hello', ADDR, '+2'], loss)
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(await revision(etcd)), changes: [{ from: 9, to: 11 }] })
    expect(await storedWeight(etcd, KEY)).toBe(11)
  })

  test('that restores a removed key is a conflict', async () => {
    await put(ADDR, 1)
    const ran = await losing(KEY, ['unregister', 'hello', ADDR], { meanwhile: () => put(ADDR, 1) })
    expect(ran).toMatchObject({ code: 6, doc: { error: { code: 'CONFLICT' } } })
    expect(await storedText(etcd, KEY)).not.toBe('')
  })

  test('that removes the key counts as the removal, if the own removal never arrived', async () => {
    await put(ADDR, 1)
    const loss = { arrives: false, meanwhile: () => etcd.ctl('del', KEY) }
    const { code, doc } = await losing(KEY, ['unregister', 'hello', ADDR], loss)
    expect(code).toBe(0)
    expect(doc).toMatchObject({ rev: String(await revision(etcd)) })
  })
})

describe('the former holder of a key is named when register --takeover fails because', () => {
  const TAKEN = ['register', 'hello', ADDR, '--takeover']

  test('etcd has compacted the history of the takeover', async () => {
    await put(ADDR, 10)
    const meanwhile = async () => {
      await put(ADDR, 9)
      await etcd.ctl('compact', String(await revision(etcd)))
    }
    const { code, doc } = await losing(KEY, TAKEN, { passing: 1, meanwhile })
    expect({ code, doc }).toMatchObject({
      code: 3,
      doc: {
        error: {
          code: 'OUTCOME_UNKNOWN',
          message: expect.stringContaining('may have been taken over, and removed again') as string,
          hint: expect.stringContaining(`former holder of ${ADDR} may be gone`) as string,
        },
      },
    })
  })

  test('another key of the same registration is denied', async () => {
    await using own = await RealEtcd.start()
    await own.ctl('put', ...registration('hello', ADDR, { weight: 10 }))
    await enableAuth(own, [{ name: 'one', password: 'pw', prefix: KEY }])
    const { code, stdout } = await new Disco(own.endpoint, { DISCO_USER: 'one:pw' }).run(
      ...TAKEN,
      OTHER,
      '--json',
    )
    expect({ code, doc: JSON.parse(stdout) }).toMatchObject({
      code: 3,
      doc: {
        error: {
          code: 'ETCD_DENIED',
          hint: expect.stringContaining(`former holder of ${ADDR} is gone`) as string,
        },
      },
    })
    expect(await storedText(own, KEY)).toBe('')
  })
})

describe('the outcome is unknown if etcd stays unavailable after a write by', () => {
  const AWAY = ['--command-timeout', '3s']

  test.each([
    ['weight', ['weight', 'hello', ADDR, '5'], `disco ls hello`],
    ['weight +2', ['weight', 'hello', ADDR, '+2'], `disco ls hello`],
    ['weight --all', ['weight', 'hello', '--all', '5'], `disco ls hello`],
    ['unregister', ['unregister', 'hello', ADDR], `disco ls hello`],
    ['drain', ['drain', 'hello', ADDR], `disco ls hello`],
    ['register', ['register', 'hello', '127.0.0.1:1003', '--ttl', '7'], 'expires'],
  ] as const)('%s', async (_, args, next) => {
    await put(ADDR, 10)
    await put(OTHER, 10)
    const key = args[0] === 'register' ? '/hello/127.0.0.1:1003' : KEY
    const ran = await losing(key, [...args, ...AWAY], { thenGone: true })
    expect(ran).toMatchObject(isUnknown)
    expect(ran.doc).toMatchObject({ error: { hint: expect.stringContaining(next) as string } })
  })

  test('drain --undo', async () => {
    await put(ADDR, 7)
    await put(ADDR, 0)
    await put(OTHER, 1)
    const ran = await losing(KEY, ['drain', 'hello', ADDR, '--undo', ...AWAY], { thenGone: true })
    expect(ran).toMatchObject(isUnknown)
  })

  test('register --takeover, and the former holder may have lost its key', async () => {
    await put(ADDR, 10)
    const ran = await losing(KEY, ['register', 'hello', ADDR, '--takeover', ...AWAY], {
      passing: 1,
      thenGone: true,
    })
    expect(ran).toMatchObject(isUnknown)
    expect(ran.doc).toMatchObject({
      error: { hint: expect.stringMatching(/expires.*former holder/s) as string },
    })
  })

  test.each([
    ['unregister', ['unregister', 'hello', ADDR], { removed: [{ key: KEY }] }],
    ['drain', ['drain', 'hello', ADDR, '--grace', '0s'], { key: KEY, unregistered: true }],
  ])(
    'a removal that was answered is reported even if etcd is then unavailable for the check of a returning key: %s',
    async (_, args, doc) => {
      await put(ADDR, 1)
      await put(OTHER, 1)
      await using proxy = await AnswerLoss.start(etcd)
      const running = tool.run(...args, '--json', '--endpoints', proxy.endpoint, ...AWAY)
      await untilGone(etcd, KEY)
      proxy.refuse()
      const ran = await running
      expect(ran).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('whether a registrar puts it back is not known: etcd') as string,
      })
      expect(JSON.parse(ran.stdout)).toMatchObject({ rev: String(await revision(etcd)), ...doc })
    },
  )
})
