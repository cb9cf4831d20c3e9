import { beforeEach, describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { commandsOf } from '../support/commands-of-page.js'
import { registration } from '../support/etcd-state.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

describe('docs/doctor.md', () => {
  const LEFTOVER = '127.0.0.1:1004'

  beforeEach(async () => {
    await etcd.ctl('put', ...registration('hello', LEFTOVER, { version: '1.0.0', weight: 1 }))
  })

  test('has commands that run, and that report the leftover registration until it is removed', async () => {
    const greeter = await startGreeter({ port: 0 })
    try {
      await etcd.ctl('put', ...registration('hello', greeter.addr, { version: '1.0.0', weight: 13 }))
      await using folder = await temporaryFile('unused', '')
      const commands = commandsOf('doctor.md')
      expect(commands.length).toBeGreaterThan(5)
      for (const command of commands) {
        const { code, stdout, stderr } = await disco
          .shell(`cd "$(dirname '${folder.path}')"; ${command}`)
          .exited()
        // The key of the greeter has no lease either.
        expect(code, `${command}\n${stderr}`).toBe(9)
        if (command === `disco doctor hello ${LEFTOVER}`) {
          expect(stdout).toContain(`✗ ${LEFTOVER}: it gets no traffic: no connection to its server`)
          expect(stdout).toContain('7.1% of the traffic has no server')
        }
      }
      const { stdout } = await disco.run('ls', 'hello', '-o', 'name')
      expect(stdout).toBe(`${greeter.addr}\n`)
    } finally {
      greeter.stop()
    }
  })
})

describe('docs/prove-balancing.md', () => {
  test('has commands that run, and that write their reports', async () => {
    const greeters = [await startGreeter({ port: 0 }), await startGreeter({ port: 0 })]
    try {
      await using folder = await temporaryFile('unused', '')
      for (const [at, { addr }] of greeters.entries()) {
        await etcd.ctl('put', ...registration('hello', addr, { version: '1.0.0', weight: at + 1 }))
      }
      const commands = commandsOf('prove-balancing.md')
      expect(commands.length).toBeGreaterThan(1)
      for (const command of commands) {
        const line = `cd "$(dirname '${folder.path}')"; ${command}; code=$?; ls; exit $code`
        const { code, stdout, stderr } = await disco.shell(line).exited()
        expect(code, `${command}\n${stderr}`).toBe(0)
        expect(stdout).toContain('balancing.html')
      }
    } finally {
      for (const greeter of greeters) greeter.stop()
    }
  })
})

describe('docs/shift.md', () => {
  test('has commands that run', async () => {
    const greeters = [await startGreeter({ port: 0 }), await startGreeter({ port: 0 })]
    try {
      for (const [at, { addr }] of greeters.entries()) {
        await etcd.ctl('put', ...registration('hello', addr, { version: `${at + 1}.0.0`, weight: 1 }))
      }
      const commands = commandsOf('shift.md')
      expect(commands.length).toBeGreaterThan(4)
      for (const command of commands) {
        const { code, stderr } = await disco.shell(command).exited()
        expect(code, `${command}\n${stderr}`).toBe(0)
      }
    } finally {
      for (const greeter of greeters) greeter.stop()
    }
  })
})
