// Signature Version 4: what AWS takes in place of a key. Signed at the moment of sending, for a signature is good for a
// few minutes only. The hash is Node's own: a prompt of megabytes is hashed on its way.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Secret } from '../../core/secret.ts'

export interface Credentials {
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret | undefined
}

export interface Signable {
  readonly method: string
  readonly host: string
  /** As it goes over the wire: already escaped once. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The headers of the request with those that sign it; all that are given get signed. */
export type Sign = (request: Signable, at: Date) => Promise<Readonly<Record<string, string>>>

export function createSigner(
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  region: string,
  service: string,
): Sign {
  const signer = new SignatureV4({
    service,
    region,
    sha256: Sha256,
    applyChecksum: false,
    credentials: {
      accessKeyId: accessKeyId.reveal(),
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    },
  })
  return async ({ method, host, path, headers, body }, signingDate) => {
    const request = { method, protocol: 'https:', hostname: host, path, query: {}, headers: { ...headers, host }, body }
    const signed = await signer.sign(request, { signingDate })
    return signed.headers
  }
}

type Data = string | ArrayBuffer | ArrayBufferView

class Sha256 {
  readonly #secret: Data | undefined
  #hash: Hash | Hmac

  constructor(secret?: Data) {
    this.#secret = secret
    this.#hash = this.#fresh()
  }

  update(data: Data): void {
    this.#hash.update(bytesOf(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    this.#hash = this.#fresh()
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(this.#secret))
  }
}

function bytesOf(data: Data): string | Uint8Array {
  if (typeof data === 'string') return data
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
