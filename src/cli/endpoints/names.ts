import { type EndpointFilter, isChosen } from '../../domain/endpoint-filter.js'
import type { EndpointList } from '../../registry/registry.js'
import type { LineOutput } from '../output/line-output.js'
import { visible } from '../terminal/visible.js'

/**
 * Writes the addresses that the filter chooses, page by page: unlike a share or the width of a column, an address does
 * not depend on other endpoints. Ends early if the reader of the output has gone.
 *
 * @param pages may throw after the output has ended; that error is ignored
 * @returns whether an address was written
 */
export async function writeNames(
  pages: AsyncIterable<EndpointList>,
  filter: EndpointFilter,
  output: Pick<LineOutput, 'writeLine' | 'drained' | 'ended'>,
): Promise<boolean> {
  let hasWritten = false
  try {
    for await (const { endpoints } of pages) {
      const lines: string[] = []
      for (const endpoint of endpoints) if (isChosen(filter, endpoint)) lines.push(visible(endpoint.addr))
      if (lines.length === 0) continue
      hasWritten = true
      output.writeLine(lines.join('\n'))
      await output.drained()
      if (output.ended.aborted) break
    }
  } catch (error) {
    if (!output.ended.aborted) throw error
  }
  return hasWritten
}
