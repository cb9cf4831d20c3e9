import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

/** A certificate and its key, as files. */
export interface KeyPairFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** A certificate authority for one test. Its files are removed with their folder. */
export class TestAuthority {
  private constructor(
    private readonly folder: string,
    readonly caFile: string,
    private readonly ca: { readonly key: string; readonly cert: string },
  ) {}

  static async create(folder: string, name: string): Promise<TestAuthority> {
    const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    })
    const caFile = join(folder, `${name}.crt`)
    writeFileSync(caFile, cert)
    return new TestAuthority(folder, caFile, { key, cert })
  }

  /**
   * @param names host names; with none, the certificate of a member on the loopback interface
   * @param days how far from now it begins and ends to be valid
   */
  async sign(
    name: string,
    names: readonly string[] = [],
    [from, to]: readonly [from: number, to: number] = [0, 365],
  ): Promise<KeyPairFiles> {
    const loopback = [{ type: 7 as const, ip: '127.0.0.1' }]
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000)
    const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      ca: this.ca,
      notBeforeDate: inDays(from),
      notAfterDate: inDays(to),
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: names.length === 0 ? loopback : names.map((value) => ({ type: 2 as const, value })),
        },
      ],
    })
    const files = { certFile: join(this.folder, `${name}.crt`), keyFile: join(this.folder, `${name}.key`) }
    writeFileSync(files.certFile, cert)
    writeFileSync(files.keyFile, key, { mode: 0o600 })
    return files
  }
}

/** Creates a CA and the certificates of a member and of its clients, at the same paths each time. */
export async function issueCertificates(at: string) {
  const authority = await TestAuthority.create(at, 'ca')
  const server = await authority.sign('server')
  const client = await authority.sign('client')
  return { caFile: authority.caFile, ...server, client }
}
