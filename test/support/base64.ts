/** Text as base64 of its UTF-8 bytes: the form of keys and values in requests of `EtcdApi`. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
