/** The scheme, and host and port (or what stands for them), of a URL; without a scheme, the text itself. */
export function readUrl(text: string): { readonly scheme: string | null; readonly addr: string } {
  const [, scheme, addr] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(text) ?? []
  return scheme === undefined || addr === undefined ? { scheme: null, addr: text } : { scheme, addr }
}
