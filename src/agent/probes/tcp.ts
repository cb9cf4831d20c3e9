import { connect } from 'node:net'
import { readAddress } from '../../domain/address.js'
import { inWords } from './in-words.js'
import type { Probe } from './probe.js'

/** Healthy where the port, or the socket, accepts a connection. */
export function tcpProbe(addr: string): Probe {
  return (deadlineMs) =>
    new Promise((resolve) => {
      const address = readAddress(addr)
      if ('problem' in address) {
        resolve({ isHealthy: false, said: `the address ${address.problem}` })
        return
      }
      const where = address.kind === 'unix' ? { path: address.path } : address
      const socket = connect({ ...where, timeout: deadlineMs })
      const finish = (isHealthy: boolean, said: string) => {
        socket.destroy()
        resolve({ isHealthy, said })
      }
      socket.once('connect', () => finish(true, 'accepts connections'))
      // A process that was held up itself finds the time over before it reads the answer that came in time.
      const late = () => finish(false, `no connection in ${deadlineMs} ms`)
      socket.once('timeout', () => setImmediate(late))
      socket.once('error', (error: NodeJS.ErrnoException) => finish(false, inWords(error)))
    })
}
