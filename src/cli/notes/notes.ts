import { isLoopback, readAddress } from '../../domain/address.js'
import { addressHints } from '../../domain/address-hints.js'
import { type Endpoint, isReadable } from '../../domain/endpoint.js'
import { DEFAULT_LAYOUT } from '../../domain/layouts/index.js'
import { AUTO } from '../../domain/layouts/reader.js'
import { narrowedTarget, parseTarget, splitTarget } from '../../grpc/resolver/target.js'
import type { Environment, FullPlace } from '../../registry/environment.js'
import type { DialTarget } from '../flags/target.js'

/** A warning about a list of endpoints. */
export interface NoteDoc {
  readonly code: string
  readonly text: string
  /** The address of the endpoint that the note is about; null if it is about the whole list. */
  readonly addr: string | null
  /** The target with which a program gets the same endpoints; null if the note is not about the target. */
  readonly target: string | null
}

/** The target and the settings with which a list was read. */
export interface Reading {
  readonly dialled: DialTarget
  /** The etcd members, as given by the user. */
  readonly members: readonly string[]
  /** The environment variables, which a program is assumed to share; see `Registry.open`. */
  readonly env: Environment
}

/**
 * Warnings that a program with the same target would get other endpoints, or that clients cannot dial an endpoint.
 *
 * @param registered the endpoints of the list
 */
export function notesOn({ dialled, members, env }: Reading, registered: readonly Endpoint[]): NoteDoc[] {
  if (!dialled.registry) return []
  const readable = registered.filter(isReadable)
  const hints = addressHints(readable, isSharedRegistry(members))
  const ofAddresses = [...hints].flatMap(([{ addr }, found]) =>
    found.map(({ code, text }) => ({ code, text: `${addr}: ${text}`, addr, target: null })),
  )
  return [...layoutNotes(dialled, env, readable), ...ofAddresses]
}

/** Whether other machines may use the registry: true if a member of etcd is not on this machine. */
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
  { target, registry }: DialTarget,
  env: Environment,
  readable: readonly Endpoint[],
): NoteDoc[] {
  const found = [...new Set(readable.map(({ layout }) => layout))]
  if (!registry || found.length === 0) return []
  const { place } = registry
  const programs = programPlace(env)
  const uri = parseTarget(splitTarget(target))
  const inTarget = uri.place
  // The layouts that the tool has read, by a setting or by detection; empty if the target names the layout.
  const read = inTarget.layout === undefined ? (place.layout === AUTO ? found : [place.layout]) : []
  const layouts = programs.layout === AUTO || read.every((layout) => layout === programs.layout) ? [] : read
  const root = inTarget.root === undefined && place.root !== programs.root ? { root: place.root } : {}
  if (layouts.length === 0 && root.root === undefined) return []
  const targetWith = (own: Partial<FullPlace>) =>
    narrowedTarget({ ...uri, place: { ...inTarget, ...root, ...own } }, [])
  const targets =
    layouts.length === 0
      ? [targetWith({})]
      : layouts.map((layout) => targetWith(layout === programs.layout ? {} : { layout }))
  const [first = null] = targets
  const how = targets.join(', or ')
  const text =
    layouts.length === 0
      ? `Read ${underRoot(place.root)}. A program reads ${underRoot(programs.root)} unless its target or options name another: ${how}`
      : `Read in ${layouts.length === 1 ? 'layout' : 'layouts'} ${layouts.join(', ')}. A program reads ${programs.layout} unless its target or options name another: ${how}`
  return [{ code: 'layout', text, addr: null, target: first }]
}

/** The layout and root that a program reads by default: those of the variables, as in `Registry.open`. */
function programPlace({ DISCO_LAYOUT: layout, DISCO_ROOT: root }: Environment): FullPlace {
  return { layout: layout || DEFAULT_LAYOUT.name, root: root || '' }
}

function underRoot(root: string): string {
  return root === '' ? 'without a root' : `under root ${root}`
}
