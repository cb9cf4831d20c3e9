import type { experimental, Metadata } from '@grpc/grpc-js'
import { type CallKeys, type Chooser, NO_KEYS, type Policy } from '../../policies/index.js'
import { type Observer, takeMark } from '../resolver/observer.js'
import type { Child } from './child.js'

/** The request headers that carry the keys of a call to the picker. A policy that reads a key removes its header. */
export const KEY_HEADERS: Readonly<Record<keyof CallKeys, string>> = {
  hashKey: 'disco-hash-key',
  pin: 'disco-pin',
}

/** The request metadata of a call: grpc-js's `Metadata`, or that of a framework above it, such as nice-grpc. */
export interface CallMetadata {
  /** Sets a header, and replaces an earlier value. */
  set(name: string, value: string): unknown
}

/**
 * Sets the hash key of a call, for the policies `ring_hash` and `source_hash`, as a header. These policies remove the
 * header before the call is sent; with other policies the server receives it.
 *
 * @returns the same metadata
 * @example
 * ```ts
 * import { Metadata } from '@grpc/grpc-js'
 * import { setHashKey } from 'disco-registry/grpc'
 *
 * const metadata = setHashKey(new Metadata(), 'user-42')
 * ```
 */
export function setHashKey<Headers extends CallMetadata>(metadata: Headers, key: string): Headers {
  metadata.set(KEY_HEADERS.hashKey, key)
  return metadata
}

/**
 * Pins a call to the endpoint with this id, key or address, for the policy `pinned`, by a header. This policy removes the
 * header before the call is sent; with other policies the server receives it.
 *
 * @returns the same metadata
 * @example
 * ```ts
 * import { Metadata } from '@grpc/grpc-js'
 * import { setPin } from 'disco-registry/grpc'
 *
 * const metadata = setPin(new Metadata(), '1.2.3.4:1001')
 * ```
 */
export function setPin<Headers extends CallMetadata>(metadata: Headers, endpoint: string): Headers {
  metadata.set(KEY_HEADERS.pin, endpoint)
  return metadata
}

/** Chooses a child by the policy and returns the child's pick result. Stateless. */
export class PolicyPicker implements experimental.Picker {
  constructor(
    private readonly policy: Policy,
    private readonly chooser: Pick<Chooser<Child>, 'choose'>,
    private readonly observer: Observer,
    private readonly resultIfNoneReady: (keys: CallKeys) => experimental.PickResult,
  ) {}

  pick({ metadata }: experimental.PickArgs): experimental.PickResult {
    const keys = this.policy.reads.length === 0 ? NO_KEYS : takeKeys(metadata)
    const child = this.chooser.choose(keys)
    if (!child?.result) return this.resultIfNoneReady(keys)
    if (this.observer.picked) {
      const callId = takeMark(metadata)
      if (callId !== null) this.observer.picked(child.endpoint, callId)
    }
    if (this.policy.countsCalls) child.outstanding.pick()
    return child.result
  }
}

/** Reads and removes the key headers. `metadata` is a copy for one attempt, so a retry still has the headers. */
function takeKeys(metadata: Metadata): CallKeys {
  return { hashKey: take(metadata, KEY_HEADERS.hashKey), pin: take(metadata, KEY_HEADERS.pin) }
}

function take(metadata: Metadata, header: string): string | null {
  const [value] = metadata.get(header)
  if (value === undefined) return null
  metadata.remove(header)
  return String(value)
}
