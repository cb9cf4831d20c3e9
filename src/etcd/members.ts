import { areSame, type Credentials, readCredentials } from './credentials.js'
import { Member } from './member.js'
import { type EtcdOptions, memberUrls } from './options.js'
import { RoundTrip } from './round-trip.js'

/** The members of a cluster, and the one that is asked now. */
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

  /** Reads the files; connects to nothing. @throws DiscoError USAGE */
  static async create(options: EtcdOptions): Promise<Members> {
    const credentials = await readCredentials(options)
    const urls = memberUrls(options, credentials.tls !== null)
    return new Members(urls, options, credentials)
  }

  get count(): number {
    return this.all.length
  }

  get current(): Member {
    const member = this.all[this.index]
    if (!member) throw new Error('an etcd client needs at least one endpoint')
    return member
  }

  /** Turns to the next member, unless another request has turned away from this one already. */
  moveOnFrom(failed: Member): void {
    if (this.current.url === failed.url) this.index = (this.index + 1) % this.all.length
  }

  /** The next member that is none of these; null where each is. */
  besides(taken: ReadonlySet<string>): Member | null {
    const inTurn = [...this.all.slice(this.index), ...this.all.slice(0, this.index)]
    return inTurn.find(({ url }) => !taken.has(url)) ?? null
  }

  /** The current member again, over a connection of its own. The caller closes it. */
  apart(): Member {
    return new Member(this.current.url, this.settings, { isApart: true })
  }

  /**
   * Reads the files again: etcd has refused what they held.
   *
   * @returns whether requests now use something else than this member did
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
    // A file that is being replaced may be missing, or belong to another key, for a moment.
    const read = await readCredentials(this.options).catch(() => null)
    if (read === null || areSame(read, this.credentials)) return
    this.credentials = read
    // Streams that stand are left alone by this; only new requests are refused.
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
