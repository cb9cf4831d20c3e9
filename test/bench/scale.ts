import { type Fleet, simulate } from './scale/simulate.js'
import { KINDS } from './scale/simulated-etcd.js'

const SEED = 18

/** Of docs/scale.md. `npm run bench -- scale 0.1` simulates a tenth of it. */
const FLEET: Fleet = { servers: 100_000, clients: 10_000, services: 1_000, watchesEach: 2, ttlSeconds: 10 }

/** What a fleet asks of etcd a second, by kind: the client's own code in virtual time, over a simulated link. */
export async function run(): Promise<void> {
  const part = Number(process.argv[3] ?? 1)
  const ttlSeconds = Number(process.argv[4] ?? FLEET.ttlSeconds)
  const [servers, clients] = [FLEET.servers * part, FLEET.clients * part]
  const fleet = { ...FLEET, servers, clients, services: Math.max(1, FLEET.services * part), ttlSeconds }
  console.log(
    `${servers} servers with a TTL of ${ttlSeconds} s, ${clients} clients that watch ${fleet.watchesEach} services each\n`,
  )
  console.log(`| phase | ${KINDS.map((kind) => `${kind}/s`).join(' | ')} |`)
  console.log(`|---|${KINDS.map(() => '---').join('|')}|`)
  for await (const { name, mean, peak } of simulate(fleet, SEED)) {
    const cells = KINDS.map((kind) => `${rounded(mean.get(kind))} (${rounded(peak.get(kind))})`)
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
}

function rounded(value = 0): string {
  return Math.round(value).toLocaleString('en')
}
