import type { Endpoint, EndpointProblem } from '../../src/domain/endpoint.js'

export const NOT_JSON: EndpointProblem = { kind: 'unreadable', text: 'value is not JSON' }

/** An endpoint of `hello` in the seed layout, with the given fields replaced. */
export function endpoint(fields: Partial<Endpoint> = {}): Endpoint {
  const made = {
    service: 'hello',
    version: '1.0.0',
    addr: '127.0.0.1:1001',
    weight: 1,
    metadata: {},
    layout: 'seed',
    problem: null,
    lease: '1eeea1fb579bfc07',
    createRevision: 1,
    modRevision: 1,
    ...fields,
  }
  return { key: `/${made.service}/${made.version}/${made.addr}`, ...made }
}
