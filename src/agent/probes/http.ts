import { Deadline } from '../../grpc/deadline.js'
import { inWords } from './in-words.js'
import type { Probe } from './probe.js'

/** Healthy where a GET answers 200 to 399. A redirect is an answer: it is not followed, nor is a body read. */
export function httpProbe(url: URL): Probe {
  return async (deadlineMs) => {
    using deadline = new Deadline(deadlineMs)
    const { signal } = deadline
    const http = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
    return await new Promise((resolve) => {
      const request = http.request(url, { agent: false, signal, headers: { 'user-agent': 'disco-probe' } })
      request.once('response', (response) => {
        const { statusCode = 0, statusMessage = '' } = response
        // Whatever a cut body comes to, its status was the answer.
        response.on('error', () => undefined).destroy()
        const said = `HTTP ${statusCode} ${statusMessage}`.trimEnd()
        resolve({ isHealthy: statusCode >= 200 && statusCode < 400, said })
      })
      request.once('error', (error: NodeJS.ErrnoException) => {
        const said = signal.aborted ? `no answer in ${deadlineMs} ms` : inWords(error)
        resolve({ isHealthy: false, said })
      })
      request.end()
    })
  }
}
