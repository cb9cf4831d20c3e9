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
  await rm(folder, { recursive: true })
})

it('takes a file for the own one, linked or not', async () => {
  expect(await foreignFileProblem(file, {})).toBeNull()
  await symlink(file, join(folder, 'link'))
  expect(await foreignFileProblem(join(folder, 'link'), {})).toBeNull()
})

it("refuses a file in another user's folder, but not the one of the user behind sudo", async () => {
  const { uid } = await stat(folder)
  // Whoever runs this test made the folder.
  vi.spyOn(process, 'geteuid').mockReturnValue(uid + 1)
  if (uid !== 0) expect(await foreignFileProblem(file, {})).toBe('another user owns its folder')
  vi.spyOn(process, 'geteuid').mockReturnValue(0)
  expect(await foreignFileProblem(file, { SUDO_UID: String(uid) })).toBeNull()
})

it('refuses a file that others can write to', async () => {
  await chmod(file, 0o666)
  expect(await foreignFileProblem(file, {})).toBe('other users can write to it')
})

it('refuses a file of contexts that others can write to, and says how to fix that', async () => {
  await writeFile(file, 'contexts:\n  a: { endpoints: x:1 }\n')
  expect([...(await readConfig(file)).contexts.keys()]).toEqual(['a'])
  await chmod(file, 0o646)
  await expect(readConfig(file)).rejects.toMatchObject({
    code: 'USAGE',
    message: `${file} is not used: other users can write to it`,
    suggestions: [`Run: chmod o-w ${file}`],
  })
})

it("bears a group that reads root's secret, as libpq does, but not one that reads the user's", async () => {
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
