import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSamples, type RevisionSample, sampleLine } from '../domain/revision-times.js'
import { appendOwnFile, isOwnFolder, makeFolder, ownFile, readOwnFile } from './cache-files.js'

/** Period of samples. */
const PERIOD_MS = 60_000

/** Maximum number of samples of one cluster: those of a week, if the tool runs all the time. */
const MAX_NOTES = 10_000

/** Length of the shortest line. */
const MIN_LINE_BYTES = '@1700000000000 0 1 1\n'.length

/** A file up to this size has at most MAX_NOTES lines. A longer one is shortened. */
const MAX_BYTES = MAX_NOTES * MIN_LINE_BYTES

/** Limit of a file: a longer one is not ours, or damaged. */
const MAX_READ_BYTES = 2 * MAX_BYTES

/** Fraction of the samples that is kept when there are too many, so that not every new sample rewrites the file. */
const KEPT_FRACTION = 0.8

/** Maximum number of clusters whose samples are kept. Each start of `disco dev` makes a new cluster. */
const MAX_CLUSTERS = 32

const OWN_NAME = /^revisions-[0-9a-f]{1,16}(?:\.[0-9a-f-]{36})?$/

/**
 * Samples of the revisions of clusters on disk, one file per cluster. An unusable folder or a damaged file is not an
 * error: its samples are missing.
 */
export class RevisionLog {
  constructor(private readonly folder: string) {}

  /** Adds a sample, unless the last one is less than a minute old. Never rejects. */
  async add(clusterId: string, sample: RevisionSample): Promise<void> {
    try {
      const file = this.fileOf(clusterId)
      const found = await ownFile(file)
      // After the clock was set back, a last sample far in the future must not prevent new ones.
      if (found && Math.abs(sample.receivedMs - found.mtimeMs) < PERIOD_MS) return
      if (!(await isOwnFolder(this.folder))) await makeFolder(this.folder, 0o700)
      const length = await appendOwnFile(file, `${sampleLine(sample)}\n`)
      if (length > MAX_READ_BYTES) await rm(file)
      else if (length > MAX_BYTES) await this.shorten(file)
      if (!found) await this.trim()
    } catch {
      // The folder is not writable, or another user's.
    }
  }

  /** The samples of a cluster; empty if there are none that can be read. */
  async read(clusterId: string): Promise<RevisionSample[]> {
    try {
      if (!(await isOwnFolder(this.folder))) return []
      return parseSamples(await readOwnFile(this.fileOf(clusterId), MAX_READ_BYTES))
    } catch {
      return []
    }
  }

  /** Keeps the newest samples, in a new file: a sample that another process adds meanwhile may be lost. */
  private async shorten(file: string): Promise<void> {
    const samples = parseSamples(await readOwnFile(file, MAX_READ_BYTES))
    const lines = samples.map((sample) => `${sampleLine(sample)}\n`)
    // Estimated by the average length: lines grow with their revisions.
    const fraction = (KEPT_FRACTION * MAX_BYTES) / lines.reduce((sum, line) => sum + line.length, 1)
    const draft = `${file}.${randomUUID()}`
    try {
      await writeFile(draft, lines.slice(Math.ceil(lines.length * (1 - fraction))).join(''), {
        mode: 0o600,
        flag: 'wx',
      })
      await rename(draft, file)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  }

  /** Removes the least recently written files. */
  private async trim(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => OWN_NAME.test(name))
    if (names.length <= MAX_CLUSTERS) return
    const files = await Promise.all(
      names.map(async (name) => {
        const file = join(this.folder, name)
        return { file, mtimeMs: (await ownFile(file))?.mtimeMs ?? 0 }
      }),
    )
    files.sort((a, b) => b.mtimeMs - a.mtimeMs)
    await Promise.all(files.slice(MAX_CLUSTERS).map(({ file }) => rm(file, { force: true })))
  }

  private fileOf(clusterId: string): string {
    return join(this.folder, `revisions-${BigInt(clusterId).toString(16)}`)
  }
}
