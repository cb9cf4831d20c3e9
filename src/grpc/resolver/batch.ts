/** As long as events come closer together than this, more are likely: a deployment, say. */
const QUIET_MS = 20
/** A steady stream of events must not keep the balancer waiting for longer than this. */
const MOST_MS = 100

/** Collects what comes in bursts, and delivers it once the burst is over. */
export class Batch<Item> {
  private items: Item[] = []
  private firstAtMs = 0
  private timer: NodeJS.Timeout | null = null

  constructor(private readonly deliver: (items: readonly Item[]) => void) {}

  add(item: Item): void {
    const now = performance.now()
    if (this.items.length === 0) this.firstAtMs = now
    this.items.push(item)
    if (this.timer) clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), Math.min(QUIET_MS, this.firstAtMs + MOST_MS - now))
  }

  /** Delivers now what there is, if there is anything. */
  flush(): void {
    const { items } = this
    this.drop()
    if (items.length > 0) this.deliver(items)
  }

  drop(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.items = []
  }
}
