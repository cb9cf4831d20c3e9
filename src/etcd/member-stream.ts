import type { IRangeRequest, IRangeResponse } from 'etcd3'
import { isCredentialProblem, isStaleToken, translate, wasClosed } from './errors.js'
import type { Member } from './member.js'
import type { Members } from './members.js'
import type { EtcdOptions } from './options.js'

/** A bidirectional stream to one member. Reading it fails with a DiscoError that names that member. */
export interface MemberStream<Request, Response> extends AsyncIterable<Response> {
  /** The member's URL. */
  readonly url: string
  write(request: Request): void
  /** Ends the stream. A pending read of the stream ends or fails. */
  close(): void
  /** Directs later requests to the next member, unless another member is already current. */
  skipMember(): void
  /** Sends a range request once to the member of the stream. @throws DiscoError */
  read(request: IRangeRequest, deadlineMs: number): Promise<IRangeResponse>
}

/** The stream that etcd3 returns, which its types do not describe. */
interface Duplex<Request, Response> extends AsyncIterable<Response> {
  write(request: Request): void
  end(): void
  cancel(): void
}

/**
 * Opens a stream at a member. If etcd refuses the token or a credential, it is renewed: for this stream if it could not
 * be opened, otherwise for the next one.
 *
 * @throws DiscoError
 */
export async function openStream<Request, Response>(
  members: Members,
  options: EtcdOptions,
  member: Member,
  send: (member: Member) => Promise<unknown>,
  { isOnlyUse = false } = {},
): Promise<MemberStream<Request, Response>> {
  const { url } = member
  const skipMember = () => members.moveOnFrom(member)
  /** Renews the token or the credentials after an error. @returns whether a new try may succeed */
  const renew = async (error: unknown): Promise<boolean> => {
    if (isStaleToken(error)) member.forgetLogin()
    return isCredentialProblem(error) && (await members.refresh(member))
  }
  let stream: Duplex<Request, Response>
  try {
    stream = (await send(member)) as Duplex<Request, Response>
  } catch (error) {
    if (isOnlyUse) member.close()
    // The members may have been replaced while this stream waited for a login.
    const isReplaced = wasClosed(error) && members.current !== member
    if (isReplaced || (await renew(error))) return await openStream(members, options, members.current, send)
    skipMember()
    throw translate(error, { ...options, endpoints: [url] })
  }
  return {
    url,
    write: (request) => stream.write(request),
    // A half-closed stream is cancelled without an error event.
    close: () => {
      stream.end()
      stream.cancel()
      if (isOnlyUse) member.close()
    },
    skipMember,
    read: (request, deadlineMs) =>
      member.kv.range(request, { deadline: Date.now() + deadlineMs }).catch((error: unknown) => {
        throw translate(error, { ...options, endpoints: [url] })
      }),
    async *[Symbol.asyncIterator]() {
      try {
        for await (const response of stream) {
          member.hasAnswered = true
          yield response
        }
      } catch (error) {
        await renew(error)
        throw translate(error, { ...options, endpoints: [url] })
      }
    },
  }
}
