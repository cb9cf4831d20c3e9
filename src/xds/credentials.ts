import type { SecureServerOptions } from 'node:http2'
import { ServerCredentials } from '@grpc/grpc-js'

/** Credentials of the listener, whose certificate can be replaced. */
export class ListenerCredentials extends ServerCredentials {
  /** @param tls null for plaintext, which is never replaced */
  constructor(tls: SecureServerOptions | null) {
    if (!tls) super(null)
    else {
      const { requestCert = false, rejectUnauthorized = false, ...files } = tls
      super({ requestCert, rejectUnauthorized }, files)
    }
  }

  /** Shows clients another certificate from now on. Existing connections are not affected. */
  renew({ ca, cert, key }: SecureServerOptions): void {
    this.updateSecureContextOptions({
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    })
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}
