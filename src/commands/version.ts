import { DiscoCommand } from '../cli/base-command.js'

export interface VersionDoc {
  readonly schema: 'disco.version/v1'
  readonly name: string
  readonly version: string
  readonly node: string
  /** Node's name of the platform, such as `linux-x64`. */
  readonly platform: string
}

export default class Version extends DiscoCommand {
  static override readonly readsContexts = false
  static override summary = 'Show the version of disco and of Node'
  static override description = 'The same as disco --version and disco -V.'
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json']

  async run(): Promise<VersionDoc> {
    const { flags } = await this.parse(Version)
    const { name, version, platform, arch, userAgent } = this.config
    const doc: VersionDoc = {
      schema: 'disco.version/v1',
      name,
      version,
      node: process.versions.node,
      platform: `${platform}-${arch}`,
    }
    return this.print(flags, doc, {
      table: () => userAgent,
      lines: () => [doc],
      names: () => [version],
    })
  }
}
