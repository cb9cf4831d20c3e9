import type { experimental } from '@grpc/grpc-js'
import { type Session, sessionEnd, watchSession } from '../../net/session-end.js'

/** Why one connection ended. */
export class ConnectionEnd {
  private session: Session | undefined

  /**
   * grpc-js reports that a connection ended, but not why, so this listens to the HTTP/2 session itself. grpc-js
   * attaches the session to its subchannel just after it reports READY, so the listeners are added a microtask later;
   * they are prepended, because grpc-js's own listeners report the end at once. If a version of grpc-js keeps its
   * session elsewhere, only the reason is lost; `test/e2e/call-dead-endpoints.test.ts` then fails.
   */
  constructor(subchannel: experimental.SubchannelInterface) {
    queueMicrotask(() => {
      this.session = sessionOf(subchannel)
      if (this.session) watchSession(this.session)
    })
  }

  get reason(): string {
    return sessionEnd(this.session ?? {})
  }
}

function sessionOf(subchannel: experimental.SubchannelInterface): Session | undefined {
  const real = subchannel.getRealSubchannel() as unknown as { transport?: unknown }
  return (real.transport as { session?: Session } | null | undefined)?.session
}
