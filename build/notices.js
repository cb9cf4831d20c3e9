import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The licences of all packages whose code is in a bundle. @param inputs paths of the code, from esbuild's metafile */
export async function noticesOf(root, inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  )
  const parts = await Promise.all([...folders].map((folder) => noticeOf(join(root, folder))))
  const unique = [...new Set(parts)].sort()
  return `This package contains code of the packages below, under their licences.\n\n${unique.join('\n')}`
}

async function noticeOf(folder) {
  const { name, version, license, author } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  if (typeof license !== 'string') throw new Error(`${name} ${version} names no licence`)
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const by = typeof author === 'string' ? author : author?.name
  const text = texts.length > 0 ? texts.map((one) => one.trim()).join('\n\n') : `Author: ${by ?? name}`
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n${'-'.repeat(80)}\n${text}\n`
}
