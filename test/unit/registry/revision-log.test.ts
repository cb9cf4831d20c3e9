import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sampleLine } from '../../../src/domain/revision-times.js'
import { RevisionLog } from '../../../src/registry/revision-log.js'

const CLUSTER = '14841639068965178418'
const FILE = `revisions-${BigInt(CLUSTER).toString(16)}`

let folder: string
let log: RevisionLog

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-log-'))
  log = new RevisionLog(folder)
})
afterEach(() => {
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

/** A sample of now, or later by this much. */
function note(revision: number, laterMs = 0) {
  const receivedMs = Date.now() + laterMs
  return { revision, raftTerm: 2, receivedMs, sentMs: receivedMs }
}

/** As if the last sample was taken so long ago. */
function age(ms: number): void {
  const then = (Date.now() - ms) / 1_000
  utimesSync(join(folder, FILE), then, then)
}

const revisions = async () => (await log.read(CLUSTER)).map(({ revision }) => revision)

test('one sample a minute is kept for each cluster', async () => {
  await log.add(CLUSTER, note(1))
  await log.add(CLUSTER, note(2))
  await log.add('5', note(9))
  expect(await revisions()).toEqual([1])
  age(61_000)
  await log.add(CLUSTER, note(3))
  expect(await revisions()).toEqual([1, 3])
  expect((await log.read('5')).map(({ revision }) => revision)).toEqual([9])
})

test('a clock that was set back does not stop the sampling', async () => {
  await log.add(CLUSTER, note(1))
  age(-3_600_000)
  await log.add(CLUSTER, note(2))
  expect(await revisions()).toEqual([1, 2])
})

test('concurrent writers leave no partial samples', async () => {
  await log.add(CLUSTER, note(1))
  age(61_000)
  await Promise.all(Array.from({ length: 50 }, (_, at) => new RevisionLog(folder).add(CLUSTER, note(at + 2))))
  const lines = readFileSync(join(folder, FILE), 'utf8').trimEnd().split('\n')
  expect((await revisions()).length).toBe(lines.length)
  expect(lines.length).toBeGreaterThan(1)
})

test('a file never has more than 10,000 samples, and keeps the newest', async () => {
  await log.add(CLUSTER, note(1))
  const lines = Array.from({ length: 10_001 }, (_, at) => `@${1_700_000_000_000 + at} 0 ${at + 2} 2\n`)
  appendFileSync(join(folder, FILE), lines.join(''))
  age(61_000)
  await log.add(CLUSTER, note(20_000))
  const kept = await revisions()
  expect(kept.length).toBeLessThan(10_000)
  expect(kept.length).toBeGreaterThan(5_000)
  expect(kept.slice(-2)).toEqual([10_002, 20_000])
  expect(readdirSync(folder)).toEqual([FILE])
})

test('a file that is damaged or much too long is not an error', async () => {
  await log.add(CLUSTER, note(1))
  appendFileSync(join(folder, FILE), Buffer.from([0, 255, 10, 64, 10]))
  age(61_000)
  await log.add(CLUSTER, note(2))
  expect(await revisions()).toEqual([1, 2])
  appendFileSync(join(folder, FILE), 'x'.repeat(1_000_000))
  expect(await revisions()).toEqual([])
  age(61_000)
  await log.add(CLUSTER, note(3))
  await log.add(CLUSTER, note(4))
  expect(await revisions()).toEqual([4])
})

test('the files of the least recently seen clusters are removed', async () => {
  for (let cluster = 1; cluster <= 40; cluster++) await log.add(String(cluster), note(cluster))
  expect(readdirSync(folder)).toHaveLength(32)
})

test.each([
  ['a folder that others may write to', () => chmodSync(folder, 0o777)],
  ['a link in the place of the file', () => symlinkSync('/dev/null', join(folder, FILE))],
])('%s is not used', async (_, prepare) => {
  prepare()
  await log.add(CLUSTER, note(1))
  expect(await revisions()).toEqual([])
})

test('a folder that cannot be created is not an error', async () => {
  const none = new RevisionLog('/proc/none/disco')
  await none.add(CLUSTER, note(1))
  expect(await none.read(CLUSTER)).toEqual([])
})

test('lines have the format of noteLine', async () => {
  await log.add(CLUSTER, {
    revision: 7,
    raftTerm: 3,
    receivedMs: 1_764_230_000_005,
    sentMs: 1_764_230_000_000,
  })
  expect(readFileSync(join(folder, FILE), 'utf8')).toBe('@1764230000005 5 7 3\n')
  expect(sampleLine({ revision: 7, raftTerm: 3, receivedMs: 1.2, sentMs: 5 })).toBe('@2 0 7 3')
})
