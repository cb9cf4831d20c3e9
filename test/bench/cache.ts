import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figure } from './figure.js'

const MAIN = fileURLToPath(new URL('./cache-main.ts', import.meta.url))
const ENDPOINTS = 50_000
const RATES = [1, 10, 100]

interface Minute {
  readonly cpuMs: number
  readonly bytes: number
  readonly writes: number
}

/** What the cache of lists costs in a minute, by the number of changes a second. Takes a little over a minute. */
export async function figures(): Promise<Figure[]> {
  const all = RATES.map(async (perSecond) => {
    const [cached, bare] = await Promise.all([minute(perSecond, 'cache'), minute(perSecond, 'none')])
    const name = `cache of ${ENDPOINTS.toLocaleString('en')} endpoints, ${perSecond} changes/s`
    return [
      { name: `${name}: writes a minute`, aim: 1, measured: cached.writes, unit: 'writes' },
      { name: `${name}: written a minute`, aim: null, measured: cached.bytes / 1e6, unit: 'MB' },
      { name: `${name}: CPU a minute`, aim: null, measured: cached.cpuMs - bare.cpuMs, unit: 'ms' },
    ]
  })
  return (await Promise.all(all)).flat()
}

async function minute(perSecond: number, cache: 'cache' | 'none'): Promise<Minute> {
  const args = ['--import', 'tsx', MAIN, String(ENDPOINTS), String(perSecond), cache]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Minute
}
