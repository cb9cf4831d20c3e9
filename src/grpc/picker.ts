import { experimental } from '@grpc/grpc-js'
import type { Chooser } from '../policies/index.js'
import type { Child } from './child.js'
import { type Observer, takeMark } from './observer.js'

/** Asks the policy for a child and lets the child's own picker do the rest. Holds no state of its own. */
export class PolicyPicker implements experimental.Picker {
  constructor(
    private readonly chooser: Chooser<Child>,
    private readonly observer: Observer,
  ) {}

  pick(args: experimental.PickArgs): experimental.PickResult {
    const child = this.chooser.choose()
    if (!child?.picker) return QUEUE
    if (this.observer.picked) {
      const callId = takeMark(args.metadata)
      if (callId !== null) this.observer.picked(child.endpoint, callId)
    }
    return child.picker.pick(args)
  }
}

/** The rotation emptied between two states of the balancer: the next picker decides. */
const QUEUE: experimental.PickResult = {
  pickResultType: experimental.PickResultType.QUEUE,
  ...{ subchannel: null, status: null, onCallStarted: null, onCallEnded: null },
}
