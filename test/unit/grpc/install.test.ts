import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Discovery } from '../../../src/domain/discovery.js'
import { DiscoError } from '../../../src/domain/errors.js'
import { type Installation, install } from '../../../src/grpc/install.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const COLLECTIONS = 20

function discovery(): Discovery {
  return { watch: () => (async function* () {})() }
}

/** How many of them are in memory, after as many collections as it takes to free all, or 20. */
async function countKept(refs: readonly WeakRef<Discovery>[]): Promise<number> {
  let kept = refs.length
  for (let left = COLLECTIONS; kept > 0 && left > 0; left--) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    kept = refs.filter((ref) => ref.deref() !== undefined).length
  }
  return kept
}

test('a replaced discovery is kept in memory only by an installation that could restore it', async () => {
  const forgotten = Array.from({ length: 10 }, () => {
    const one = discovery()
    install({ discovery: one })
    return new WeakRef(one)
  })
  const last = install({ discovery: discovery() })
  // The last one of them is what the end of `last` restores.
  expect(await countKept(forgotten.slice(0, -1))).toBe(0)
  expect(forgotten.at(-1)?.deref()).toBeDefined()
  last.close()
})

test('a program that replaces its discovery repeatedly does not keep the previous ones in memory', async () => {
  let current: Installation | null = null
  const refs: WeakRef<Discovery>[] = []
  for (let round = 0; round < 10; round++) {
    const one = discovery()
    refs.push(new WeakRef(one))
    const next = install({ discovery: one })
    current?.close()
    current = next
  }
  current?.close()
  expect(await countKept(refs.slice(0, -1))).toBe(0)
})

test('an unknown option is refused, and the error shows how to name a registry', () => {
  const options = { endpoints: ['127.0.0.1:2379'] }
  const error = (() => {
    try {
      install(options as object)
      return null
    } catch (thrown) {
      return thrown as DiscoError
    }
  })()
  expect(error).toBeInstanceOf(DiscoError)
  expect(error).toMatchObject({ code: 'USAGE', message: 'install has no option "endpoints"' })
})
