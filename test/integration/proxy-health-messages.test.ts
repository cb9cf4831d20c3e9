import { it } from 'vitest'
import { until } from '../support/disco.js'
import { proxies } from '../support/proxied.js'
import { RawBackend } from '../support/raw-backend.js'

const started = proxies()

it.each([
  ['nicht%20da%3A %C3%BC', 'nicht da: ü'],
  ['100% of it', '100% of it'],
])('the proxy shows the grpc-message "%s" of a health watch as "%s"', async (sent, shown) => {
  await using backend = await RawBackend.start((stream) => {
    const headers = { ':status': 200, 'content-type': 'application/grpc' }
    stream.respond({ ...headers, 'grpc-status': '7', 'grpc-message': sent }, { endStream: true })
  })
  const { failed } = await started([{ addr: backend.addr }], { healthService: '' })
  await until(
    () => failed.some((problem) => problem.includes(shown)),
    () => `${shown}, got: ${failed.join()}`,
  )
})
