import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackPackages } from '../support/debian-packages.js'

/** Cache between runs. It is inside node_modules, so that a fresh clone starts without it. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/go', import.meta.url))

/** Debian 12 has Go 1.19, grpc-go 1.33 and the etcd client 3.4. */
const PACKAGES = ['golang-go', 'golang-google-grpc-dev', 'golang-etcd-server-dev']

/**
 * Downloads and unpacks Debian’s Go with grpc-go and the etcd client once, without installing them. Returns how to run
 * `go`.
 */
export function fetchGo(): { readonly go: string; readonly env: Readonly<Record<string, string>> } {
  if (!existsSync(FOLDER)) unpackPackages({ names: PACKAGES, complete: true }, FOLDER)
  const root = join(FOLDER, 'usr/lib/go-1.19')
  const env = {
    GOROOT: root,
    GOPATH: join(FOLDER, 'usr/share/gocode'),
    GO111MODULE: 'off',
    CGO_ENABLED: '0',
    GOCACHE: join(FOLDER, 'cache'),
    GOTOOLCHAIN: 'local',
    PATH: process.env.PATH ?? '',
  }
  return { go: join(root, 'bin/go'), env }
}
