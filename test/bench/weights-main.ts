import { EtcdApi } from '../support/etcd-api.js'

/**
 * Changes weights from a process of its own, whose CPU time contains nothing else: for each line `KEY WEIGHT` on
 * standard input it writes the registration, and answers with a line.
 */
const [, , endpoint = ''] = process.argv
const api = new EtcdApi(endpoint)
const base64 = (text: string): string => Buffer.from(text).toString('base64')

process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
  for (const line of chunk.trimEnd().split('\n')) void put(line)
})
process.stdin.on('end', () => process.exit())

async function put(line: string): Promise<void> {
  const [key = '', weight = ''] = line.split(' ')
  const [, name, version, addr] = key.split('/')
  const value = JSON.stringify({ name, addr, version, weight: Number(weight) })
  await api.get('KV/Put', { key: base64(key), value: base64(value) })
  console.log(key)
}
