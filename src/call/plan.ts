import type { CallContent, CallSettings } from '../grpc/invoker.js'
import type { Load } from './load/load.js'
import type { CallResult } from './report.js'

/** Its settings are those of each call; the replies of a warm-up are told to nobody. */
export interface RunPlan extends CallSettings {
  readonly load: Load
  /** Made before and left out of the report; null for none. */
  readonly warmup: Load | null
  /** @param number the call's own, from 1 on, over the whole run */
  readonly content: (number: number) => CallContent
  /** Told after each call, as it ends. */
  readonly onResult?: (result: CallResult) => void
}
