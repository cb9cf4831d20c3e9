import type { SecureServerOptions } from 'node:http2'
import { type PemFiles, type Pems, readPems } from '../net/files.js'
import { type Dialer, overTls, PLAINTEXT } from './dial.js'
import { readListenerTls } from './listener-tls.js'

export interface CertificateFiles {
  /** Shown to callers. */
  readonly listener: PemFiles
  /** For TLS to backends; null for plaintext. */
  readonly backend: PemFiles | null
  /** What the backends' certificates are for; the target's authority without it. */
  readonly backendName: string | undefined
}

/** The certificates of a proxy, which are read again when the operator says so. */
export class Certificates {
  private backend: Pems | null = null
  listener: SecureServerOptions | null = null

  private constructor(private readonly files: CertificateFiles) {}

  /** @throws DiscoError USAGE for files that cannot be used */
  static async read(files: CertificateFiles): Promise<Certificates> {
    const certificates = new Certificates(files)
    await certificates.refresh()
    return certificates
  }

  /** Reads all files again; where one cannot be used, all stay as they were. @throws DiscoError USAGE */
  async refresh(): Promise<void> {
    const listener = await readListenerTls(this.files.listener)
    this.backend = this.files.backend && (await readPems(this.files.backend, '--tls-cert and --tls-key'))
    this.listener = listener
  }

  dialerOf(authority: string): Dialer {
    if (!this.files.backend) return PLAINTEXT
    return overTls(() => this.backend, this.files.backendName ?? authority)
  }
}
