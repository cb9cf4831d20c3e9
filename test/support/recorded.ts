import { base64 } from './base64.js'
import type { Etcd } from './etcd.js'
import { EtcdApi } from './etcd-api.js'
import { type Happened, historyOf } from './etcd-history.js'

/**
 * All events that etcd recorded under a folder since the test file started. Polling could miss some of them.
 *
 * @param folder ends with `/`
 */
export async function recordedUnder(etcd: Etcd, folder: string): Promise<Happened[]> {
  const api = new EtcdApi(etcd.endpoint)
  // A last event marks the end of the reading.
  const end = `${folder}end`
  try {
    const { header } = await api.get('KV/Put', { key: base64(end), value: base64('{}') })
    const upTo = Number((header as { revision: string }).revision)
    const happened = await historyOf(api, folder, { after: etcd.startRevision, upTo })
    return happened.filter(({ key }) => key !== end)
  } finally {
    await api.get('KV/DeleteRange', { key: base64(end) })
    api.close()
  }
}

/** All weights that a key has had, in order; null while it did not exist. Writes with the same weight are omitted. */
export async function weightsOf(etcd: Etcd, key: string): Promise<(number | null)[]> {
  const happened = await recordedUnder(etcd, key.slice(0, key.lastIndexOf('/') + 1))
  const weights = happened.filter((event) => event.key === key).map(({ weight }) => weight)
  return weights.filter((weight, index) => index === 0 || weight !== weights[index - 1])
}
