/** Takes items one at a time, in order; of those that arrive meanwhile, only the newest. */
export class NewestOnly<Item> {
  private next: { readonly item: Item } | null = null
  private taking: Promise<void> | null = null

  /** @param take never rejects */
  constructor(private readonly take: (item: Item) => Promise<void>) {}

  offer(item: Item): void {
    this.next = { item }
    this.taking ??= this.takeAll()
  }

  /** Resolves once nothing waits and nothing is taken. */
  async idle(): Promise<void> {
    await this.taking
  }

  private async takeAll(): Promise<void> {
    while (this.next) {
      const { item } = this.next
      this.next = null
      await this.take(item)
    }
    this.taking = null
  }
}
