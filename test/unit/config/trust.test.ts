import { chmod, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readConfig } from '../../../src/config/contexts.js'
import { foreignFileProblem, refuseReadableByOthers } from '../../../src/config/text-file.js'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disco-trust-'))
  file = join(folder, '.disco.yaml')
  await writeFile(file, '')
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, maxRetries: 5 })
})

it('accepts a file of the user, also through a symbolic link', async () => {
  expect(await foreignFileProblem(file, {})).toBeNull()
  await symlink(file, join(folder, 'link'))
  expect(await foreignFileProblem(join(folder, 'link'), {})).toBeNull()
})

it('refuses a file in the folder of another user, but accepts a file of the user who ran sudo', async () => {
  const { uid } = await stat(folder)
  // Whoever runs this test made the folder.
  vi.spyOn(process, 'geteuid').mockReturnValue(uid + 1)
  if (uid !== 0) expect(await foreignFileProblem(file, {})).toBe('another user owns its folder')
  vi.spyOn(process, 'geteuid').mockReturnValue(0)
  expect(await foreignFileProblem(file, { SUDO_UID: String(uid) })).toBeNull()
})

it('refuses a file that other users can write to', async () => {
  await chmod(file, 0o666)
  expect(await foreignFileProblem(file, {})).toBe('other users can write to it')
})

it('refuses a contexts file that other users can write to, with the command that fixes it', async () => {
  await writeFile(file, 'contexts:\n  a: { endpoints: x:1 }\n')
  expect([...(await readConfig(file)).contexts.keys()]).toEqual(['a'])
  await chmod(file, 0o646)
  await expect(readConfig(file)).rejects.toMatchObject({
    code: 'USAGE',
    message: `${file} is not used: other users can write to it`,
    suggestions: [`Run: chmod o-w ${file}`],
  })
})

it('accepts group read access to a secret of root, as libpq does, but not to a secret of the user', async () => {
  const stats = await stat(file)
  const as = (euid: number, uid: number, mode: number) => {
    vi.spyOn(process, 'geteuid').mockReturnValue(euid)
    return refuseReadableByOthers(
      '/x/my file',
      'a password',
      Object.assign(Object.create(stats), { uid, mode }),
    )
  }
  await as(1000, 1000, 0o100600)
  await as(1000, 0, 0o100640)
  await expect(as(1000, 0, 0o100644)).rejects.toMatchObject({ suggestions: ["Run: chmod 640 '/x/my file'"] })
  await expect(as(1000, 1000, 0o100640)).rejects.toMatchObject({
    message: '/x/my file holds a password, and other users can read it',
    suggestions: ["Run: chmod 600 '/x/my file'"],
  })
})
