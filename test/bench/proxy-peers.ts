import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Packages, unpackPackages } from '../support/debian-packages.js'

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/disco', import.meta.url))
const DISCO = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** A proxy to compare: how it is started in front of backends, in a folder of its own. */
export interface Peer {
  readonly name: string
  start(port: number, backends: readonly string[], folder: string): ChildProcess
}

export const disco: Peer = {
  name: 'disco proxy',
  start: (port, backends) =>
    spawn(
      process.execPath,
      [DISCO, 'proxy', `ipv4:${backends.join()}`, '--listen', `127.0.0.1:${port}`, '--json'],
      {
        stdio: 'ignore',
        env: { PATH: process.env.PATH, HOME: process.env.HOME, DISCO_ENDPOINTS: '127.0.0.1:1' },
      },
    ),
}

/** Debian's, fetched once; one worker. */
export const nginx: Peer = {
  name: 'nginx grpc_pass',
  start(port, backends, folder) {
    const root = fetched('nginx', { names: ['nginx'], complete: true })
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    )
    return launch(
      root,
      'usr/sbin/nginx',
      folder,
      'nginx.conf',
      ['-p', folder, '-e', 'stderr', '-c'],
      [
        'daemon off; worker_processes 1; error_log stderr crit;',
        `pid ${folder}/nginx.pid;`,
        'events { worker_connections 1024; }',
        'http {',
        `  access_log off; ${temporary.join(' ')}`,
        '  upstream backends {',
        ...backends.map((addr) => `    server ${addr};`),
        '    keepalive 64; keepalive_requests 100000000;',
        '  }',
        '  server {',
        `    listen 127.0.0.1:${port} http2; keepalive_requests 100000000;`,
        '    location / { grpc_pass grpc://backends; }',
        '  }',
        '}',
      ],
    )
  },
}

/** Debian's, fetched once; one thread. */
export const haproxy: Peer = {
  name: 'haproxy',
  start(port, backends, folder) {
    return launch(
      haproxyFolder(),
      'usr/sbin/haproxy',
      folder,
      'haproxy.cfg',
      ['-db', '-f'],
      [
        'global',
        '  nbthread 1',
        'defaults',
        '  mode http',
        '  timeout connect 5s',
        '  timeout client 1h',
        '  timeout server 1h',
        'listen grpc',
        `  bind 127.0.0.1:${port} proto h2`,
        '  balance roundrobin',
        ...backends.map((addr, at) => `  server s${at} ${addr} proto h2`),
      ],
    )
  },
}

function haproxyFolder(): string {
  return fetched('haproxy', { names: ['haproxy'], complete: true })
}

/** A shell script that is Debian's haproxy, fetched once. */
export function haproxyScript(): string {
  const root = haproxyFolder()
  return `#!/bin/sh\nLD_LIBRARY_PATH='${librariesIn(root)}' exec '${join(root, 'usr/sbin/haproxy')}' "$@"\n`
}

function librariesIn(root: string): string {
  return ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((path) => join(root, path)).join(':')
}

function fetched(name: string, packages: Packages): string {
  const folder = join(CACHE, name)
  if (!existsSync(folder)) unpackPackages(packages, folder)
  return folder
}

function launch(
  root: string,
  program: string,
  folder: string,
  file: string,
  args: readonly string[],
  lines: readonly string[],
): ChildProcess {
  mkdirSync(folder, { recursive: true })
  const config = join(folder, file)
  writeFileSync(config, `${lines.join('\n')}\n`)
  return spawn(join(root, program), [...args, config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, LD_LIBRARY_PATH: librariesIn(root) },
  })
}
