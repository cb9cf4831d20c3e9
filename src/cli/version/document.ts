export interface VersionDoc {
  readonly schema: 'disco.version/v1'
  readonly name: string
  readonly version: string
  readonly node: string
  /** As Node names it, such as `linux-x64`. */
  readonly platform: string
}
