import { describe, expect, test } from 'vitest'
import { freePorts } from '../support/ports.js'
import { script, WAITS } from '../support/script.js'
import { ownService, supervise } from '../support/supervised.js'
import { supervisedOnEtcd } from '../support/supervised-on-etcd.js'

const { disco, nothingIsLeft } = await supervisedOnEtcd()

describe('health of a supervised server', () => {
  test('that does not listen at its address: a hint is printed after 5 s, for a tcp and for a gRPC probe', async () => {
    const ports = await freePorts(2)
    const ran = await Promise.all(
      [[], ['--probe', 'grpc']].map(async (probe, index) => {
        const held = supervise(disco, ownService(), ports[index] ?? 0, {
          flags: [...probe, '--probe-start', '5500ms', '--kill-after', '200ms'],
          command: script(WAITS),
        })
        return { ...(await held.exited()), port: ports[index] }
      }),
    )
    for (const { code, stderr, port } of ran) {
      expect(code).toBe(5)
      expect(stderr).toMatch(/! not healthy after \d\.\ds: connection refused\n/)
      expect(stderr).toContain(
        `  Does it listen at 127.0.0.1:${port}? To register another address than that: --advertise`,
      )
    }
  })
})

test('no key or lease is left in etcd', nothingIsLeft)
