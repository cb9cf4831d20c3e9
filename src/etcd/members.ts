import { areSame, type Credentials, readCredentials } from './credentials.js'
import { RoundTrip } from './deadlines.js'
import { Member } from './member.js'
import { type EtcdOptions, memberUrls } from './options.js'

/** The members of a cluster. Requests go to the current one. */
export class Members {
  readonly roundTrip = new RoundTrip()
  private all: readonly Member[]
  private index = 0
  private refreshing: Promise<void> | null = null

  private constructor(
    private readonly urls: readonly string[],
    private readonly options: EtcdOptions,
    private credentials: Credentials,
  ) {
    this.all = this.create()
  }

  /** Reads the files; does not connect. @throws DiscoError USAGE */
  static async create(options: EtcdOptions): Promise<Members> {
    const credentials = await readCredentials(options)
    const urls = memberUrls(options, credentials.tls !== null)
    return new Members(urls, options, credentials)
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.all.values()
  }

  get count(): number {
    return this.all.length
  }

  get current(): Member {
    const member = this.all[this.index]
    if (!member) throw new Error('an etcd client needs at least one endpoint')
    return member
  }

  /** Makes the next member current, unless another request has already done so. */
  moveOnFrom(failed: Member): void {
    if (this.current.url === failed.url) this.index = (this.index + 1) % this.all.length
  }

  /** The next member whose URL is not among these; null if there is none. */
  other(taken: ReadonlySet<string>): Member | null {
    const inTurn = [...this.all.slice(this.index), ...this.all.slice(0, this.index)]
    return inTurn.find(({ url }) => !taken.has(url)) ?? null
  }

  /** The current member over a separate connection. The caller closes it. */
  separate(): Member {
    return new Member(this.current.url, this.settings, { isApart: true })
  }

  /**
   * Reads the files again, after etcd has refused their previous contents.
   *
   * @returns whether the contents have changed, so that requests now use new credentials
   */
  async refresh(refused: Member): Promise<boolean> {
    this.refreshing ??= this.readAgain().finally(() => {
      this.refreshing = null
    })
    await this.refreshing
    return refused.settings.credentials !== this.credentials
  }

  close(): void {
    for (const member of this.all) member.close()
  }

  private async readAgain(): Promise<void> {
    // A file that is being replaced may briefly be missing, or belong to another key.
    const read = await readCredentials(this.options).catch(() => null)
    if (read === null || areSame(read, this.credentials)) return
    this.credentials = read
    // Open streams continue; only new requests to the previous members fail.
    this.close()
    this.all = this.create()
  }

  private get settings() {
    const { options, credentials, roundTrip } = this
    return { options, credentials, roundTrip }
  }

  private create(): Member[] {
    return this.urls.map((url) => new Member(url, this.settings))
  }
}
