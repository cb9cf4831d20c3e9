import { fileURLToPath } from 'node:url'
import { type Etcd, RealEtcd } from '../support/etcd.js'
import { findEtcd } from '../support/etcd-binary.js'
import { costsByTurns, usageOf } from './cost.js'
import type { Figure } from './figure.js'
import { fillServices, serviceAt } from './lists-registry.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const ROUNDS = 5

/** Enough for a million keys. */
const QUOTA_BYTES = 8 * 1024 ** 3

const SERVICES = 1_000
const SERVICE = serviceAt(523)

/**
 * What lists cost beside etcdctl, by turns: one service of 1,000 endpoints among 1,000,000 keys, in every layout and in
 * one, and a summary of 1,000 services with 100,000 endpoints.
 */
export async function figures(): Promise<Figure[]> {
  return [...(await amongMillion()), ...(await ofHundredThousand())]
}

async function amongMillion(): Promise<Figure[]> {
  await using etcd = await RealEtcd.start({ args: ['--quota-backend-bytes', String(QUOTA_BYTES)] })
  await fillServices(etcd, SERVICES, 1_000)
  const auto = disco(etcd, 'ls', SERVICE)
  const seed = disco(etcd, 'ls', SERVICE, '--layout', 'seed')
  const nothing = disco(etcd, 'ls', '--layout', 'seed', '--root', '/empty')
  const all = etcdctl(etcd, '/', '--keys-only')
  const prefix = etcdctl(etcd, `/${SERVICE}/`)
  const costs = await costsByTurns([all, auto, prefix, seed, nothing], ROUNDS)
  const [ofAll = 0, ofAuto = 0, ofPrefix = 0, ofSeed = 0, start = 0] = costs.map(({ wallMs }) => wallMs)
  const { rssMb } = await usageOf(auto.slice(1))
  const name = 'ls of 1,000 endpoints among 1,000,000 keys'
  return [
    {
      name: `${name}, auto: wall to etcdctl’s over all keys`,
      aim: 1.5,
      measured: ofAuto / ofAll,
      unit: '×',
      note: `${ms(ofAuto)} and ${ms(ofAll)}`,
    },
    { name: `${name}, auto: RSS`, aim: 300, measured: rssMb, unit: 'MB' },
    {
      name: `${name}, seed: wall to twice etcdctl’s of the prefix and the start`,
      aim: 1,
      measured: ofSeed / (2 * ofPrefix + start),
      unit: '×',
      note: `${ms(ofSeed)}, ${ms(ofPrefix)} and ${ms(start)}`,
    },
  ]
}

async function ofHundredThousand(): Promise<Figure[]> {
  await using etcd = await RealEtcd.start()
  await fillServices(etcd, SERVICES, 100)
  const [theirs, ours] = await costsByTurns([etcdctl(etcd, '/'), disco(etcd, 'ls')], 2 * ROUNDS)
  const [theirMs = 0, ourMs = 0] = [theirs?.cpuMs, ours?.cpuMs]
  return [
    {
      name: 'ls of 100,000 endpoints in 1,000 services: CPU to etcdctl’s',
      aim: 8,
      measured: ourMs / theirMs,
      unit: '×',
      note: `${ms(ourMs)} and ${ms(theirMs)}`,
    },
  ]
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`
}

function disco(etcd: Etcd, ...args: readonly string[]): string[] {
  return [process.execPath, RUN, ...args, '--endpoints', etcd.endpoint]
}

function etcdctl(etcd: Etcd, prefix: string, ...flags: readonly string[]): string[] {
  // On a busy machine, a million keys take longer than etcdctl's default of five seconds.
  const options = ['--endpoints', etcd.endpoint, '--command-timeout', '60s']
  return [findEtcd('etcdctl'), ...options, 'get', prefix, '--prefix', ...flags]
}
