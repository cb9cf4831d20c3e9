import { Metadata } from '@grpc/grpc-js'

/** Headers of a request. Names may repeat; the values of names that end in `-bin` are base64. */
export type Headers = readonly (readonly [name: string, value: string])[]

export function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of headers) {
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
  }
  return metadata
}
