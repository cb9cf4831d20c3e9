import { rmSync } from 'node:fs'
import { mkdtemp, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file for other programs, replaced as a whole: a reader never sees a part of it. Only its user can read it. */
export class SnapshotFile implements Disposable {
  private readonly remove = () => rmSync(this.folder, { recursive: true, force: true })

  private constructor(private readonly folder: string) {
    // An exception elsewhere ends this process without an await.
    process.on('exit', this.remove)
  }

  /** @throws Error of the file system */
  static async create(): Promise<SnapshotFile> {
    return new SnapshotFile(await mkdtemp(join(tmpdir(), 'disco-watch-')))
  }

  get path(): string {
    return join(this.folder, 'snapshot.json')
  }

  /** @param lines without line ends @throws Error of the file system; the file then stays as it was */
  async write(lines: Iterable<string>): Promise<void> {
    const next = join(this.folder, 'next.json')
    await writeFile(next, withEnds(lines), { mode: 0o600 })
    await rename(next, this.path)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.remove)
    this.remove()
  }
}

function* withEnds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`
}
