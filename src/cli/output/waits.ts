import { count } from '../terminal/units.js'
import type { Progress } from './progress.js'

/** The wait for etcd, with what it has sent so far. @param etcd such as `etcd at 127.0.0.1:2379` */
export function readingText(
  etcd: string,
  { pages, keys }: { readonly pages: number; readonly keys: number },
) {
  if (keys === 0) return `asking ${etcd}`
  return `reading ${etcd}: ${count(pages, 'page')}, ${count(keys, 'key')} so far`
}

/** Shows a survey of servers. @returns what the survey calls */
export function probingLine(progress: Progress): (done: number, servers: number) => void {
  let text = 'probing'
  progress.wait(() => text)
  return (done, servers) => {
    text = `probing: ${done} of ${count(servers, 'server')}`
  }
}
