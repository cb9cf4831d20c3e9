import { afterAll } from 'vitest'
import { Backend } from './backend.js'

/** Two backends for all tests of a file. */
export async function backendPair(): Promise<[Backend, Backend]> {
  const pair = (await Backend.startMany(2)) as [Backend, Backend]
  afterAll(() => {
    for (const backend of pair) backend.stop()
  })
  return pair
}
