import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { projectFile } from '../../../src/config/locations.js'
import { readProject } from '../../../src/config/project.js'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disco-project-'))
  file = join(folder, '.disco.yaml')
})
afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }))

describe('a project file', () => {
  it('is found in the nearest folder upwards', async () => {
    await mkdir(join(folder, 'a/b'), { recursive: true })
    await writeFile(file, '')
    expect(projectFile(join(folder, 'a/b'))).toBe(file)
    await writeFile(join(folder, 'a/.disco.yaml'), '')
    expect(projectFile(join(folder, 'a/b'))).toBe(join(folder, 'a/.disco.yaml'))
  })

  it('may name a context with layout and root, or endpoints with files in its folder', async () => {
    await writeFile(file, 'context: dc1\nroot: /team\nlayout: etcd\nproduction: true\n')
    expect(await readProject(file)).toMatchObject({
      context: 'dc1',
      settings: { root: '/team', layout: 'etcd', production: true },
    })
    await writeFile(join(folder, 'secret'), 'p')
    await writeFile(file, 'endpoints: x:1\nuser: u\npassword-file: ./secret\n')
    await chmod(join(folder, 'secret'), 0o644)
    await expect(readProject(file)).rejects.toMatchObject({
      message: `${join(folder, 'secret')} holds a password, and other users can read it`,
    })
    await chmod(join(folder, 'secret'), 0o600)
    expect((await readProject(file))?.settings).toMatchObject({ 'password-file': join(folder, 'secret') })
  })

  it.each([
    [
      'endpoints: x:1\nuser: u\npassword-file: ../up\n',
      '3:1: the file of password-file is not in the folder of the project',
    ],
    ['endpoints: x:1\ncacert: /etc/passwd\n', '2:1: the file of cacert is not in the folder of the project'],
    ['endpoints: x:1\nuser: u\npassword-env: HOME\n', '3:1: password-env is not allowed in a project file'],
    ['endpoints: x:1\nuser: u\npassword: hunter2\n', '3:1: password is not allowed in a project file'],
    ['context: dc1\nendpoints: x:1\n', '1:1: context and endpoints exclude each other'],
    ['context: dc1\nuser: root\n', '1:1: user is given without endpoints'],
    ['contexts: dc1\n', '1:1: unknown key "contexts"'],
    ['context: [a, b]\n', '1:10: a text is expected here'],
  ])('is refused for a file with invalid content: %j', async (text, problem) => {
    await writeFile(file, text)
    await expect(readProject(file)).rejects.toMatchObject({ code: 'USAGE', message: `${file}:${problem}` })
  })
})
