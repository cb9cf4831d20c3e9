import { parseArgs } from 'node:util'
import { ETCD_VERSIONS, etcdVersion } from '../support/etcd-binary.js'
import { fuzz } from './fuzz.js'

/**
 * `npm run fuzz -- --seed S --ops N [--seeds K] [--jobs J] [--etcd 3.4]`: runs K seeds from S on with N operations in
 * total against that version of etcd, by default the one that the tests use.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    ops: { type: 'string', default: '10000' },
    jobs: { type: 'string', default: '1' },
    etcd: { type: 'string' },
  },
})
const version = ETCD_VERSIONS.find((known) => known === values.etcd)
if (values.etcd !== undefined && version === undefined) throw new Error(`Unknown etcd ${values.etcd}`)
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => Number(values.seed) + index)
const perSeed = Math.ceil(Number(values.ops) / seeds.length)
const started = performance.now()
let operations = 0
let differences = 0

async function worker(): Promise<void> {
  for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
    const result = await fuzz(seed, perSeed, version)
    operations += result.operations
    if (result.difference === undefined) continue
    differences += 1
    console.log(`seed ${seed}, operation ${result.operations}: ${JSON.stringify(result.difference, null, 2)}`)
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, worker))
const seconds = (performance.now() - started) / 1000
const speed = `${Math.round(seconds)} s, ${Math.round(operations / seconds)} operations/s`
const etcd = `etcd ${version ?? etcdVersion()}`
console.log(`${etcd}: ${operations} operations, ${values.seeds} seeds, ${differences} differences (${speed})`)
process.exitCode = differences === 0 ? 0 : 1
