import { createHash, randomUUID } from 'node:crypto'
import { lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cachedDataVersionTag } from 'node:v8'
import { codeFolder, isOwnFolder, makeOwnFolder, readOwnFile } from './own-folder.js'

/** Maximum size of a cache file. The compiled code of one command is 1 to 3 MB. */
const MAX_BYTES = 32 * 1024 * 1024

const DIGEST_BYTES = 32

/** Files older than this are removed: those of old versions disappear, and those in use are rarely created again. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000

/**
 * One file of V8's code cache. V8 executes the code in it, and checks only the length of the source. So a file is used
 * only if it belongs to this user alone and matches the source, the version of Node and V8's flags. If a file is
 * unusable, the source is compiled again.
 */
export class CodeCache {
  private constructor(
    private readonly file: string,
    private readonly identity: string,
  ) {}

  /** @param part names the part of the code that a run uses: different commands compile different functions */
  static of(source: Buffer, part: string, env: NodeJS.ProcessEnv): CodeCache | null {
    // NODE_DISABLE_COMPILE_CACHE also disables Node's own compile cache. Coverage of code from a cache is less precise.
    if (env.NODE_DISABLE_COMPILE_CACHE || env.NODE_V8_COVERAGE) return null
    try {
      const folder = codeFolder(env)
      if (folder === null) return null
      const tag = cachedDataVersionTag()
      const identity = sha256(source, `${process.version} ${process.arch} ${tag} ${part}`).toString('hex')
      return new CodeCache(join(folder, `${part}-${identity.slice(0, 32)}.bin`), identity)
    } catch {
      return null
    }
  }

  /** The cached code; undefined if the file is missing or unusable. */
  read(): Buffer | undefined {
    try {
      if (!isOwnFolder(dirname(this.file))) return undefined
      const bytes = readOwnFile(this.file, MAX_BYTES)
      if (bytes === null) return undefined
      const code = bytes.subarray(DIGEST_BYTES)
      return this.digestOf(code).equals(bytes.subarray(0, DIGEST_BYTES)) ? code : undefined
    } catch {
      return undefined
    }
  }

  /** Writes the file atomically: if two runs write at once, readers see the whole file of one of them. */
  write(code: Buffer): void {
    const draft = `${this.file}.${randomUUID()}`
    try {
      if (code.length > MAX_BYTES - DIGEST_BYTES || !makeOwnFolder(dirname(this.file))) return
      writeFileSync(draft, Buffer.concat([this.digestOf(code), code]), { mode: 0o600, flag: 'wx' })
      renameSync(draft, this.file)
      this.removeOld()
    } catch {
      removeQuietly(draft)
    }
  }

  private digestOf(code: Buffer): Buffer {
    return sha256(code, this.identity)
  }

  private removeOld(): void {
    const folder = dirname(this.file)
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      if (lstatSync(file).mtimeMs < Date.now() - KEPT_MS) removeQuietly(file)
    }
  }
}

function sha256(bytes: Buffer, text: string): Buffer {
  return createHash('sha256').update(bytes).update(text).digest()
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // The file remains, and takes some space.
  }
}
