/** The next item of a source, or its end or error. */
type Arrival<Item> = { readonly source: AsyncIterator<Item> } & (
  | { readonly result: IteratorResult<Item, unknown> }
  | { readonly error: unknown }
)

/**
 * The items of several sources in the order of their arrival. Buffers at most one item of each source, so that a slow
 * caller slows the sources. Ends when all sources have ended. If one source fails, throws its error and ends the others.
 *
 * `Promise.race` is not used: each race would add a reaction to the pending promise of a quiet source, and so leak
 * memory.
 */
export async function* merged<Item>(
  sources: readonly AsyncIterable<Item>[],
): AsyncGenerator<Item, void, void> {
  const arrived: Arrival<Item>[] = []
  let wake = () => {}
  const arrive = (arrival: Arrival<Item>) => {
    arrived.push(arrival)
    wake()
  }
  const pull = (source: AsyncIterator<Item>) => {
    source.next().then(
      (result) => arrive({ source, result }),
      (error: unknown) => arrive({ source, error }),
    )
  }
  const open = new Set(sources.map((source) => source[Symbol.asyncIterator]()))
  for (const source of open) pull(source)
  try {
    while (open.size > 0) {
      const next = arrived.shift()
      if (!next) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      if ('error' in next) throw next.error
      if (next.result.done) open.delete(next.source)
      else {
        yield next.result.value
        pull(next.source)
      }
    }
  } finally {
    // Not awaited: a source that waits for its next item returns only after that item.
    for (const source of open) source.return?.().catch(() => undefined)
  }
}
