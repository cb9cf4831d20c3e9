import type { EndpointProblem } from '../endpoint.js'
import { DiscoError } from '../errors.js'
import type { Layout } from './layout.js'

/**
 * The root, a namespace of all keys, as a prefix of keys: empty, or ending in one slash.
 *
 * @param source the flag, variable or position in a file that gives the root, for the error
 * @throws DiscoError USAGE for control characters
 */
export function rootPrefix(root: string, source?: string): string {
  if (/[\0-\x1f\x7f-\x9f]/.test(root)) {
    const from = source === undefined ? '' : ` from ${source}`
    throw new DiscoError('USAGE', `The root "${root}"${from} has control characters`)
  }
  return root === '' ? '' : `${root.replace(/\/+$/, '')}/`
}

/** Joins root and key by exactly one slash. */
export function underRoot(root: string, key: string): string {
  return root === '' ? key : root + key.replace(/^\/+/, '')
}

/** The key without the root, with a leading slash if keys of the layout begin with one. */
export function withoutRoot(root: string, key: string, layout: Layout): string {
  if (root === '') return key
  return `${layout.base.startsWith('/') ? '/' : ''}${key.slice(root.length)}`
}

/** A layout with all keys under a root. */
export function rooted(layout: Layout, root: string): Layout {
  if (root === '') return layout
  return {
    ...layout,
    at: (base) => rooted(layout.at(base), root),
    prefix: (service) => underRoot(root, layout.prefix(service)),
    decode(key, value) {
      const decoded = layout.decode(withoutRoot(root, key, layout), value)
      if (decoded.kind !== 'unusable' || decoded.problem.kind !== 'misplaced') return decoded
      return { ...decoded, problem: misplaced(underRoot(root, decoded.problem.belongsAt)) }
    },
    encode(registrations, lease) {
      const { key, value } = layout.encode(registrations, lease)
      return { key: underRoot(root, key), value }
    },
  }
}

/** The problem of a value that belongs at another key. */
export function misplaced(belongsAt: string): Extract<EndpointProblem, { kind: 'misplaced' }> {
  return { kind: 'misplaced', text: `value names ${belongsAt}`, belongsAt, rootHint: null }
}

/** The root under which a key would equal the key that its value names; null if there is no such root. */
export function rootBefore(key: string, belongsAt: string): string | null {
  const own = belongsAt.replace(/^\/+/, '')
  const root = key.slice(0, -own.length)
  return root.length > 1 && root.endsWith('/') && root + own === key ? root.slice(0, -1) : null
}
