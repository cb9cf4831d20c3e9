import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file in a temporary folder, which is removed with its scope. */
export async function temporaryFile(name: string, text: string): Promise<AsyncDisposable & { path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'disco-file-'))
  const path = join(folder, name)
  await writeFile(path, text)
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, maxRetries: 5 }) }
}
