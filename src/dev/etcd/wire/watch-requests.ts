import { eachField } from './requests.js'

/** WatchCreateRequest (etcd API). `watchId` 0n lets the server choose. */
export interface WatchCreateRequest {
  key: string
  rangeEnd: string | undefined
  startRevision: number
  progressNotify: boolean
  noPut: boolean
  noDelete: boolean
  prevKv: boolean
  watchId: bigint
  fragment: boolean
}

export type WatchRequest =
  | { readonly kind: 'create'; readonly request: WatchCreateRequest }
  | { readonly kind: 'cancel'; readonly watchId: bigint }
  | { readonly kind: 'progress' }
  /** None of the above, or a field of a later version: etcd ignores it. */
  | { readonly kind: 'unknown' }

export function readWatch(source: Buffer): WatchRequest {
  let request: WatchRequest = { kind: 'unknown' }
  eachField(source, (field, reader) => {
    if (field === 1) request = { kind: 'create', request: readCreate(reader.bytes()) }
    else if (field === 2) request = { kind: 'cancel', watchId: readId(reader.bytes()) }
    else if (field === 3) {
      reader.skip()
      request = { kind: 'progress' }
    } else reader.skip()
  })
  return request
}

/** WatchCreateRequest.FilterType. */
const FilterType = { NOPUT: 0, NODELETE: 1 } as const

function readCreate(source: Buffer): WatchCreateRequest {
  const request: WatchCreateRequest = {
    key: '',
    rangeEnd: undefined,
    startRevision: 0,
    progressNotify: false,
    noPut: false,
    noDelete: false,
    prevKv: false,
    watchId: 0n,
    fragment: false,
  }
  eachField(source, (field, reader) => {
    if (field === 1) request.key = reader.text()
    else if (field === 2) request.rangeEnd = reader.text()
    else if (field === 3) request.startRevision = reader.number()
    else if (field === 4) request.progressNotify = reader.boolean()
    else if (field === 5) {
      // Packed or separate: both are valid for a repeated enum.
      for (const filter of reader.numbers()) {
        if (filter === FilterType.NOPUT) request.noPut = true
        if (filter === FilterType.NODELETE) request.noDelete = true
      }
    } else if (field === 6) request.prevKv = reader.boolean()
    else if (field === 7) request.watchId = reader.bigint()
    else if (field === 8) request.fragment = reader.boolean()
    else reader.skip()
  })
  return request
}

/** The id in field 1 of a message with no other relevant field: watch cancels and lease requests. */
export function readId(source: Buffer): bigint {
  let id = 0n
  eachField(source, (field, reader) => {
    if (field === 1) id = reader.bigint()
    else reader.skip()
  })
  return id
}
