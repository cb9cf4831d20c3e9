import { hasUserInfo, withoutSecrets } from '../../domain/address.js'
import { REGISTRY_FLAGS, TIMEOUT_FLAGS } from '../flags/connection-names.js'
import { shellWord } from '../terminal/visible.js'
import { type FlagDefinitions, readWords, splitCommand } from '../words/words.js'

/**
 * Flags whose values a report may show. It lists the harmless flags, not the secret ones, so that the values of a
 * new flag are hidden until the flag is added here. Files are shown by name.
 */
const SHOWN: ReadonlySet<string> = new Set([
  'n',
  'concurrency',
  'duration',
  'rate',
  'warmup',
  'deadline',
  'connect-deadline',
  'max-message-size',
  'policy',
  'pin',
  'pin-fallback',
  'choices',
  'selector',
  'health',
  'assert',
  'strict',
  'report',
  'proto',
  'protoset',
  'import-path',
  'service-config',
  'authority',
  'tls-ca',
  'tls-cert',
  'tls-key',
  'tls-name',
  'cache-max-age',
  'output',
  ...REGISTRY_FLAGS,
  ...TIMEOUT_FLAGS,
])

/** Replaces a value that may be a secret. */
const HIDDEN = '…'

/** A command line without values that may be secrets: header values, request data, hash keys. */
export function commandText(id: string, argv: readonly string[], flags: FlagDefinitions): string {
  const words = [...readWords(splitCommand(argv).own, flags)].flatMap((word) => {
    if (word.kind === 'argument') return [shellWord(withoutUserInfo(word.text))]
    if (word.kind === 'unknown') return [word.written]
    if (word.value === undefined) return [word.written]
    return [word.written, shellWord(shownValue(word.name, word.value))]
  })
  return ['disco', id, ...words].join(' ')
}

function shownValue(name: string, value: string): string {
  if (name === 'endpoints') return value.split(',').map(withoutSecrets).join(',')
  if (SHOWN.has(name)) return withoutUserInfo(value)
  // The name of a file is not a secret. Its content, which may be, is not shown.
  if ((name === 'data' || name === 'header') && /^@|^-$/.test(value)) return value
  if (name === 'header') {
    const [, key] = /^([^=:\s]+)\s*[=:]/.exec(value) ?? []
    return key === undefined ? HIDDEN : `${key}: ${HIDDEN}`
  }
  return HIDDEN
}

function withoutUserInfo(text: string): string {
  return hasUserInfo(text) ? withoutSecrets(text) : text
}
