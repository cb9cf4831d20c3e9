import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { unpackPackages } from './debian-packages.js'

/** Where the browser is kept between runs: inside node_modules, as etcd is. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/chromium/shell', import.meta.url))

/** Names that no server has: a page of any origin is served from this machine. */
const NAMES = '--host-resolver-rules=MAP *.example 127.0.0.1'

/**
 * Opens a page in Debian's headless Chromium and gives its document once its scripts have had time to end.
 *
 * @throws Error that says what to install, when there is no browser and none can be fetched
 */
export async function openPage(url: string): Promise<string> {
  const browser = findBrowser()
  const profile = mkdtempSync(join(tmpdir(), 'disco-browser-'))
  const libraries = [
    'usr/lib/x86_64-linux-gnu',
    'usr/lib/x86_64-linux-gnu/pulseaudio',
    'usr/lib/aarch64-linux-gnu',
  ]
  try {
    const { stdout } = await promisify(execFile)(
      browser,
      [
        ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, NAMES],
        ...['--virtual-time-budget=10000', '--dump-dom', url],
      ],
      {
        timeout: 50_000,
        env: { ...process.env, LD_LIBRARY_PATH: libraries.map((folder) => join(FOLDER, folder)).join(':') },
      },
    )
    return stdout
  } finally {
    rmSync(profile, { recursive: true, force: true })
  }
}

function findBrowser(): string {
  const path = join(FOLDER, 'usr/lib/chromium/chromium-headless-shell')
  if (existsSync(path)) return path
  try {
    unpackPackages({ names: ['chromium-headless-shell'], complete: true }, FOLDER)
  } catch (cause) {
    throw new Error(
      'This test needs the Debian package chromium-headless-shell (96 MB with its libraries), and apt could not fetch it.',
      { cause },
    )
  }
  return path
}
