import { expect, test } from 'vitest'
import { Disco } from '../support/disco.js'
import { expectShape } from '../support/shape.js'

/** The verdict needs no registry, so no etcd listens at this address. */
const disco = new Disco('127.0.0.1:1')
const WEIGHTS = ['--weights', 'a=1,b=1,c=1,d=1,e=10']
const IGNORED = ['verdict', '--counts', 'a=3,b=2,c=2,d=1,e=2', ...WEIGHTS]
const EQUAL_SPLIT = { alternative: 'equal split', alternativeP: 0.9884 }
const FOLLOWED = ['verdict', '--counts', 'a=1,b=1,c=1,e=7', ...WEIGHTS]

test('disco verdict fails the run of the source documents: p = 0.0016, fits an equal split, exit code 8', async () => {
  const { stdout, stderr, code } = await disco.run(...IGNORED)
  expect(stdout).toBe(
    [
      'ENDPOINT  WEIGHT  CALLS  OBSERVED  EXPECTED',
      'a              1      3     30.0%      7.1%  ██|█████',
      'b              1      2     20.0%      7.1%  ██|███',
      'c              1      2     20.0%      7.1%  ██|███',
      'd              1      1     10.0%      7.1%  ██|',
      'e             10      2     20.0%     71.4%  ██████              |',
      '',
      'FAIL  weights ignored: p = 0.0016 against 1:1:1:1:10; fits equal split (p = 0.99).',
      '      Likely cause: client uses round_robin or random, which ignore weights.',
      '',
    ].join('\n'),
  )
  expect({ stderr, code }).toEqual({ stderr: '', code: 8 })
})

test('disco verdict exits 0 unless the verdict fails or, with --strict, is inconclusive', async () => {
  const [pass, few, strict, unjudged] = await Promise.all([
    disco.run(...FOLLOWED, '--policy', 'wrr', '--strict'),
    disco.run(...FOLLOWED),
    disco.run(...FOLLOWED, '--strict'),
    disco.run(...IGNORED, '--policy', 'ring_hash', '--strict'),
  ])
  expect(pass).toMatchObject({ code: 0, stdout: expect.stringMatching(/^PASS {2}follows the weights/m) })
  expect(few).toMatchObject({ code: 0, stdout: expect.stringMatching(/^INCONCLUSIVE {2}.*it takes 26/m) })
  expect(strict).toMatchObject({ code: 8, stdout: few.stdout })
  expect(unjudged).toMatchObject({ code: 0, stdout: expect.stringMatching(/^NOT JUDGED/m) })
})

test('disco verdict counts names from standard input', async () => {
  const running = disco.start('verdict', '--counts', '-', ...WEIGHTS, '-o', 'ndjson')
  running.child.stdin?.end(`${'e\n'.repeat(20)}a\r\nb\n\nc\nd`)
  const { stdout, code } = await running.exited()
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ calls: 24, verdict: { result: 'inconclusive' } })
})

test('disco verdict prints JSON with the fields and types of the golden file', async () => {
  const [fail, pass, unjudged] = await Promise.all([
    disco.run(...IGNORED, '--json'),
    disco.run(...FOLLOWED, '--policy', 'weighted_round_robin', '-o', 'json'),
    disco.run(...IGNORED, '--policy', 'least_request', '--json'),
  ])
  const docs = [fail, pass, unjudged].map(({ stdout }) => JSON.parse(stdout) as unknown)
  expectShape('verdict', ...docs)
  expect(docs[0]).toMatchObject({
    verdict: { result: 'fail', test: 'exact-multinomial', p: 0.001628, ...EQUAL_SPLIT },
  })
  expect(docs[1]).toMatchObject({
    schema: 'disco.verdict/v1',
    policy: 'weighted_round_robin',
    calls: 10,
    verdict: { result: 'pass', test: 'max-gap', gap: 0.714, limit: 2, p: null, alternative: null },
  })
  expect(docs[2]).toMatchObject({ verdict: { result: 'not-judged', test: null, alternative: null } })
})

test('disco verdict refuses a count without a weight as a usage error', async () => {
  const { stdout, stderr, code } = await disco.run('verdict', '--counts', 'a=1,ee=2', ...WEIGHTS)
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
  expect(stderr).toContain('No weight is given for "ee"')
})
