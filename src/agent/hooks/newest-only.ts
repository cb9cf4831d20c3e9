/** Processes items one at a time. Of the items offered meanwhile, only the newest is processed next. */
export class NewestOnly<Item> {
  private next: { readonly item: Item } | null = null
  private processing: Promise<void> | null = null

  /** @param process must not reject */
  constructor(private readonly process: (item: Item) => Promise<void>) {}

  offer(item: Item): void {
    this.next = { item }
    this.processing ??= this.processAll()
  }

  /** Resolves when no item is waiting or being processed. */
  async idle(): Promise<void> {
    await this.processing
  }

  private async processAll(): Promise<void> {
    while (this.next) {
      const { item } = this.next
      this.next = null
      await this.process(item)
    }
    this.processing = null
  }
}
