import { getSystemErrorMap } from 'node:util'

/** An operating system's error in its own words, such as "no space left on device". */
export function systemMessage(error: NodeJS.ErrnoException): string {
  const [, message] = getSystemErrorMap().get(error.errno ?? 0) ?? []
  return message ?? error.message
}
