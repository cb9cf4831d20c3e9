import { existsSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { haproxyScript } from '../bench/proxy-peers.js'
import { type Process, until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const PAGE = await readFile('docs/hooks.md', 'utf8')

/** The command of the page that contains this text. */
function commandWith(text: string): string {
  const line = PAGE.split('\n').find((one) => one.startsWith('disco ') && one.includes(text))
  if (line === undefined) throw new Error(`docs/hooks.md has no command with ${text}`)
  return line
}

/** A temporary folder with the examples, in which commands of the page run. */
async function workFolder() {
  const file = await temporaryFile('unused', '')
  const folder = dirname(file.path)
  for (const name of ['render.mjs', 'haproxy.cfg.template', 'targets.yml.template'])
    await copyFile(join('examples', name), join(folder, name))
  const run = (command: string): Process => disco.shell(`cd '${folder}'; PATH="$PWD:$PATH"; ${command}`)
  const text = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '')
  return { folder, run, text, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
}

async function untilText(read: () => Promise<string>, wanted: RegExp): Promise<string> {
  let text = ''
  const isThere = async () => {
    text = await read()
    return wanted.test(text)
  }
  await until(isThere, () => `${wanted}, got ${text}`)
  return text
}

const hello = (...ports: number[]) =>
  putAll(
    etcd,
    'hello',
    ports.map((port) => ({ addr: `127.0.0.1:${port}`, version: '1.0.0', weight: port % 1_000 })),
  )

describe('docs/hooks.md', () => {
  test('writes a configuration that haproxy accepts, and replaces it only with another valid one', async () => {
    await using work = await workFolder()
    await hello(1_001, 1_000, 1_600)
    await writeFile(join(work.folder, 'haproxy'), haproxyScript(), { mode: 0o755 })
    await writeFile(join(work.folder, 'systemctl'), '#!/bin/sh\necho "reloaded $*"\n', { mode: 0o755 })
    const command = commandWith('haproxy.cfg.template')
    const watch = work.run(command)
    await watch.printed('reloaded reload haproxy')
    const first = await work.text('haproxy.cfg')
    expect(first).toContain('  server s1 127.0.0.1:1000 weight 0 proto h2\n')
    expect(first).toContain('  server s2 127.0.0.1:1001 weight 1 proto h2\n')
    expect(first).toContain('  server s3 127.0.0.1:1600 weight 256 proto h2\n')
    // haproxy rejects the configuration from this template.
    await writeFile(join(work.folder, 'haproxy.cfg.template'), 'nonsense\n')
    await hello(1_002)
    await watch.printed('--exec: exit code 1, on added hello 127.0.0.1:1002')
    expect(await work.text('haproxy.cfg')).toBe(first)
    expect(existsSync(join(work.folder, 'haproxy.cfg.new'))).toBe(false)
    expect(watch.stdout.match(/reloaded/g)).toHaveLength(1)
    await watch.end('SIGINT')
  })

  test('writes Prometheus targets for all services, and omits values that YAML could misread', async () => {
    await using work = await workFolder()
    const command = commandWith('targets.yml.template').replace('/etc/prometheus/targets/', '')
    const watch = work.run(command)
    await watch.printed('synced')
    await hello(1_001)
    const text = await untilText(() => work.text('disco.yml'), /1\.0\.0/)
    expect(text).toBe("- targets: ['127.0.0.1:9090']\n  labels: { service: 'hello', version: '1.0.0' }\n")
    await putAll(etcd, 'evil', [{ addr: '127.0.0.1:1', version: "1', evil: 'yes" }])
    await watch.printed('left out: ["evil"')
    expect(await work.text('disco.yml')).toBe(text)
    await watch.end('SIGINT')
  })

  test('posts each event to a webhook; an HTTP error counts as a failed run', async () => {
    const bodies: { type: string }[] = []
    const server = createServer(async (request, response) => {
      const parts = await request.toArray()
      bodies.push(JSON.parse(Buffer.concat(parts as Buffer[]).toString()) as { type: string })
      response.writeHead(bodies.length === 2 ? 500 : 200).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      const command = commandWith('curl').replace('127.0.0.1:8080', `127.0.0.1:${port}`)
      const watch = disco.shell(command)
      await watch.printed('synced')
      await hello(1_001)
      await watch.printed('--exec: exit code 22, on added hello 127.0.0.1:1001')
      await hello(1_002)
      await until(
        () => bodies.length >= 3,
        () => 'three posts',
      )
      await watch.end('SIGINT')
      expect(bodies.map(({ type }) => type)).toEqual(['synced', 'added', 'added'])
    } finally {
      server.close()
    }
  })

  test('passes the number of endpoints to an autoscaler', async () => {
    await using work = await workFolder()
    await writeFile(join(work.folder, 'scale.sh'), '#!/bin/sh\necho "there are" $1\n', { mode: 0o755 })
    const tool = `#!/bin/sh\nexec '${process.execPath}' '${resolve('bin/run.js')}' "$@"\n`
    await writeFile(join(work.folder, 'disco'), tool, { mode: 0o755 })
    await hello(1_001, 1_000)
    const watch = work.run(commandWith('scale.sh'))
    await watch.printed('there are 1')
    await hello(1_002)
    await watch.printed('there are 2')
    await watch.end('SIGINT')
  })
})
