import { describe, expect, test } from 'vitest'
import { type Process, until } from '../support/disco.js'
import { registration } from '../support/etcd-state.js'
import { withoutColors } from '../support/palettes.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

async function put(addr: string, weight: number): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { weight }))
}

/** Waits for text without its colours: a terminal may hand over a frame in parts. */
async function shows(watch: Process, text: RegExp): Promise<void> {
  await until(
    () => text.test(withoutColors(watch.stdout)),
    () => `${text}, got: ${watch.stdout}`,
  )
}

describe('watch on a terminal', () => {
  const LEAVE = '\u001b[?1049l'

  test('shows in its first line since when etcd is lost, counts the seconds, and shows when it is back', async () => {
    await put('127.0.0.1:1000', 1)
    await put('127.0.0.1:900', 1)
    const watch = disco.onTerminal(80, 24, 'watch', 'hello')
    await watch.printed(`hello · ${etcd.endpoint} · rev`)
    await watch.printed(/2 endpoints · \S*live/)
    await shows(watch, /127\.0\.0\.1:900 [\s\S]*127\.0\.0\.1:1000 [\s\S]*● leased/)
    etcd.pause()
    try {
      await watch.printed(/STALE since [0-9:]{8} \(2s\), retrying/)
      // A row of the table, dim from its beginning to its end.
      await watch.printed(/\u001b\[2m✗ {2}127\.0\.0\.1:900 [^\u001b]*no lease\u001b\[22m/)
      await shows(watch, /! STALE: the last list stands; etcd lost/)
    } finally {
      etcd.resume()
    }
    await watch.printed('etcd is back')
    const { stdout } = await watch.pressCtrlC()
    const left = withoutColors(stdout.slice(stdout.lastIndexOf(LEAVE)))
    expect(left).toMatch(/hello · .* · live/)
  })
})
