import { rmSync } from 'node:fs'
import { mkdtemp, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file for other programs. A write replaces it atomically. Only the user of this process can read it. */
export class SnapshotFile implements Disposable {
  private readonly remove = () => rmSync(this.folder, { recursive: true, force: true })

  private constructor(private readonly folder: string) {
    // Removes the file even if an uncaught exception ends this process.
    process.on('exit', this.remove)
  }

  /** @throws Error of the file system */
  static async create(): Promise<SnapshotFile> {
    return new SnapshotFile(await mkdtemp(join(tmpdir(), 'disco-watch-')))
  }

  get path(): string {
    return join(this.folder, 'snapshot.json')
  }

  /** @param lines without line terminators @throws Error of the file system; the file is then unchanged */
  async write(lines: Iterable<string>): Promise<void> {
    const next = join(this.folder, 'next.json')
    await writeFile(next, terminated(lines), { mode: 0o600 })
    await rename(next, this.path)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.remove)
    this.remove()
  }
}

function* terminated(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`
}
