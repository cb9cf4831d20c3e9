import { isLoopback, readAddress } from '../../domain/address.js'
import { addressHints } from '../../domain/address-hints.js'
import { type Endpoint, isReadable } from '../../domain/endpoint.js'
import { DEFAULT_LAYOUT } from '../../domain/layouts/index.js'
import { AUTO } from '../../domain/layouts/reader.js'
import { narrowedTarget, parseTarget, splitTarget } from '../../grpc/resolver/target.js'
import type { Dialled } from '../flags/target.js'

/** Something about a list that its reader should know. */
export interface NoteDoc {
  readonly code: string
  readonly text: string
  /** Of the endpoint that it is about; null for the whole list. */
  readonly addr: string | null
  /** What a program would dial for the same endpoints; null where that is not the point. */
  readonly target: string | null
}

/** How a list was read. */
export interface Reading {
  readonly dialled: Dialled
  /** Of etcd, as the user named them. */
  readonly members: readonly string[]
  /** Of `--root`, which no program knows. */
  readonly root: string | undefined
}

/**
 * Where a program with the same target would see other endpoints, and endpoints that clients cannot dial.
 *
 * @param registered the list
 */
export function notesOn({ dialled, members, root }: Reading, registered: readonly Endpoint[]): NoteDoc[] {
  if (!dialled.registry) return []
  const readable = registered.filter(isReadable)
  const hints = addressHints(readable, isSharedRegistry(members))
  const ofAddresses = [...hints].flatMap(([{ addr }, found]) =>
    found.map(({ code, text }) => ({ code, text: `${addr}: ${text}`, addr, target: null })),
  )
  return [...layoutNotes(dialled, root, readable), ...ofAddresses]
}

/** Whether other machines use the registry: a member of etcd is not on this one. */
export function isSharedRegistry(members: readonly string[]): boolean {
  return members.some((member) => {
    const address = readAddress(
      member
        .trim()
        .replace(/^https?:\/\//, '')
        .replace(/\/$/, ''),
    )
    return 'problem' in address || address.kind !== 'tcp' || !isLoopback(address.host)
  })
}

function layoutNotes(
  { target, registry }: Dialled,
  rootFlag: string | undefined,
  readable: readonly Endpoint[],
): NoteDoc[] {
  if (!registry) return []
  const found = [...new Set(readable.map(({ layout }) => layout))]
  const { place } = registry
  const uri = parseTarget(splitTarget(target))
  const inTarget = uri.place
  // What the tool read by its flags, or by itself, and the target does not say.
  const layouts = inTarget.layout === undefined ? (place.layout === AUTO ? found : [place.layout]) : []
  const root = inTarget.root === undefined && rootFlag !== undefined ? { root: rootFlag } : {}
  const isDefault = layouts.every((layout) => layout === DEFAULT_LAYOUT.name)
  if (layouts.length === 0 || (isDefault && root.root === undefined)) return []
  const targets = layouts.map((layout) => {
    const isNamed = layout !== DEFAULT_LAYOUT.name
    return narrowedTarget({ ...uri, place: { ...inTarget, ...root, ...(isNamed ? { layout } : {}) } }, [])
  })
  const [first = null] = targets
  const what = layouts.length === 1 ? `layout ${layouts[0]}` : `layouts ${layouts.join(', ')}`
  const how = targets.join(', or ')
  const text = isDefault
    ? `Read under root ${rootFlag}. A program without that option reads the same by ${how}`
    : `Read in ${what}. A program reads ${DEFAULT_LAYOUT.name} unless its target or options name another: ${how}`
  return [{ code: 'layout', text, addr: null, target: first }]
}
