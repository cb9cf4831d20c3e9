/** What `disco dev` has started. */
export interface DevDoc {
  readonly schema: 'disco.dev/v1'
  /** The registry's, for `--endpoints`. */
  readonly endpoint: string
  readonly service: string
  readonly backends: readonly { readonly addr: string; readonly weight: number }[]
}
