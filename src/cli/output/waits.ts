import { count } from '../terminal/units.js'
import type { Progress } from './progress.js'

/** The text during a read of etcd, with what was received so far. @param etcd such as `etcd at 127.0.0.1:2379` */
export function readingText(
  etcd: string,
  { pages, keys }: { readonly pages: number; readonly keys: number },
) {
  if (keys === 0) return `asking ${etcd}`
  return `reading ${etcd}: ${count(pages, 'page')}, ${count(keys, 'key')} so far`
}

/** Shows the progress of a survey of servers. @returns the callback that receives the progress */
export function probingLine(progress: Progress): (done: number, servers: number) => void {
  let text = 'probing'
  progress.wait(() => text)
  return (done, servers) => {
    text = `probing: ${done} of ${count(servers, 'server')}`
  }
}
