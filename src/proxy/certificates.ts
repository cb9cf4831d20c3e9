import type { SecureServerOptions } from 'node:http2'
import { CLIENT_CERTIFICATE_FLAGS } from '../net/client-tls.js'
import { type PemFiles, type Pems, readPems } from '../net/files.js'
import { readListenerTls, requireUsable } from '../net/listener-tls.js'
import { type Dialer, overTls, PLAINTEXT } from './dial.js'

export interface CertificateFiles {
  /** Certificate files of the listener. */
  readonly listener: PemFiles
  /** Certificate files for TLS to backends; null for plaintext. */
  readonly backend: PemFiles | null
  /** The name that the backends' certificates must have; by default, the target's authority. */
  readonly backendName: string | undefined
}

/** Minimum time between reads: thousands of endpoints may refuse a certificate at the same time. */
const REREAD_PERIOD_MS = 1_000

/**
 * The certificates of a proxy. They are read again when the operator requests it; those for backends also when a
 * backend has refused a connection.
 */
export class Certificates {
  private backend: Pems | null = null
  /** When the files were last read again, on the clock of `performance.now()`. */
  private rereadAtMs = Number.NEGATIVE_INFINITY
  /** The last read of the files; never rejects. */
  private reading: Promise<unknown> = Promise.resolve()
  listener: SecureServerOptions | null = null

  private constructor(private readonly files: CertificateFiles) {}

  /** @throws DiscoError USAGE for files that cannot be used */
  static async read(files: CertificateFiles): Promise<Certificates> {
    const certificates = new Certificates(files)
    await certificates.refresh()
    return certificates
  }

  /** Reads all files again. If one cannot be used, the last contents of all stay in use. @throws DiscoError USAGE */
  refresh(): Promise<void> {
    return this.inTurn(async () => {
      const listener = await readListenerTls(this.files.listener)
      const backend = await this.readBackend()
      this.backend = backend
      this.listener = listener
    })
  }

  dialerOf(authority: string): Dialer {
    if (!this.files.backend) return PLAINTEXT
    const pems = { latest: () => this.backend, reread: () => void this.rereadBackend() }
    return overTls(pems, this.files.backendName ?? authority)
  }

  /**
   * Reads the files again, after a refusal. If they cannot be used, for example while they are being replaced, the last
   * contents stay in use until the next refusal.
   */
  private async rereadBackend(): Promise<void> {
    const nowMs = performance.now()
    if (nowMs - this.rereadAtMs < REREAD_PERIOD_MS) return
    this.rereadAtMs = nowMs
    await this.inTurn(async () => {
      this.backend = await this.readBackend().catch(() => this.backend)
    })
  }

  /** Reads one after the other, so that the contents of the last read stay in use. */
  private inTurn(read: () => Promise<void>): Promise<void> {
    const done = this.reading.then(read)
    this.reading = done.catch(() => undefined)
    return done
  }

  private async readBackend(): Promise<Pems | null> {
    const backend = this.files.backend && (await readPems(this.files.backend, CLIENT_CERTIFICATE_FLAGS))
    if (backend) requireUsable(backend, '--tls-cert')
    return backend
  }
}
