import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { unpackPackages } from './debian-packages.js'
import { type Image, readPng } from './png.js'

/** Cache of the browser between runs, inside node_modules. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/chromium/shell', import.meta.url))

/** Host names without a server. The browser resolves them to this machine, so that a page can have any origin. */
const NAMES = '--host-resolver-rules=MAP *.example 127.0.0.1'

/**
 * Opens a page in Debian's headless Chromium and gives its document once its scripts have had time to end.
 *
 * @throws Error that says what to install, when there is no browser and none can be fetched
 */
export async function openPage(url: string): Promise<string> {
  const { stdout } = await browse(['--virtual-time-budget=10000', '--dump-dom', url])
  return stdout
}

/** The rendered page, and the actions of its browser. */
export interface SeenPage {
  readonly image: Image
  /** Lines of the console: errors of the page, and violations of its content security policy. */
  readonly console: readonly string[]
  /** URLs that the browser requested, including the page itself. */
  readonly requests: readonly string[]
}

export interface Viewer {
  readonly width: number
  readonly height: number
  readonly isDark?: boolean
  /** Whether the reader prefers no animation (`prefers-reduced-motion`). */
  readonly isStill?: boolean
}

/** Opens a page in a window of this size. @throws Error as {@link openPage} */
export async function seePage(
  url: string,
  { width, height, isDark = false, isStill = false }: Viewer,
): Promise<SeenPage> {
  const folder = mkdtempSync(join(tmpdir(), 'disco-page-'))
  const [screenshot, log] = [join(folder, 'page.png'), join(folder, 'net.json')]
  try {
    const { stderr } = await browse([
      '--enable-logging=stderr',
      `--log-net-log=${log}`,
      `--screenshot=${screenshot}`,
      '--hide-scrollbars',
      ...(isStill ? ['--force-prefers-reduced-motion'] : []),
      `--window-size=${width},${height}`,
      `--blink-settings=preferredColorScheme=${isDark ? 0 : 1}`,
      url,
    ])
    const { events } = JSON.parse(readFileSync(log, 'utf8')) as { events: { params?: { url?: string } }[] }
    return {
      image: readPng(readFileSync(screenshot)),
      console: stderr.split('\n').filter((line) => line.includes('CONSOLE')),
      requests: [...new Set(events.flatMap(({ params }) => params?.url ?? []))],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function browse(
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const browser = findBrowser()
  const profile = mkdtempSync(join(tmpdir(), 'disco-browser-'))
  const libraries = [
    'usr/lib/x86_64-linux-gnu',
    'usr/lib/x86_64-linux-gnu/pulseaudio',
    'usr/lib/aarch64-linux-gnu',
  ]
  try {
    return await promisify(execFile)(
      browser,
      [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        `--user-data-dir=${profile}`,
        NAMES,
        ...args,
      ],
      {
        timeout: 50_000,
        maxBuffer: 2 ** 26,
        env: { ...process.env, LD_LIBRARY_PATH: libraries.map((folder) => join(FOLDER, folder)).join(':') },
      },
    )
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
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
