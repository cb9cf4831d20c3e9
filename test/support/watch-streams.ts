import type { RealEtcd } from './etcd.js'

/** Number of open watch streams and of their watchers, from etcd’s metrics. */
export async function watchStreams({ endpoint }: Pick<RealEtcd, 'endpoint'>): Promise<{
  readonly streams: number
  readonly watchers: number
}> {
  const text = await (await fetch(`http://${endpoint}/metrics`)).text()
  const metric = (name: string) =>
    Number(new RegExp(`^etcd_debugging_mvcc_${name} (\\S+)$`, 'm').exec(text)?.[1])
  return { streams: metric('watch_stream_total'), watchers: metric('watcher_total') }
}
