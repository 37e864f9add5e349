/**
 * Takes Docker's framing (8 bytes: stream, three zeros, length) off a container's output. dockerode gives `logs({follow: false})` still
 * framed; containers with a TTY have no frames.
 */
export class Demultiplexer {
  readonly #onPayload: (payload: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(onPayload: (payload: Buffer) => void) {
    this.#onPayload = onPayload;
  }

  write(chunk: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUInt32BE(4);
      if (this.#rest.length < 8 + length) return;
      this.#onPayload(this.#rest.subarray(8, 8 + length));
      this.#rest = this.#rest.subarray(8 + length);
    }
  }
}

export function demultiplex(framed: Uint8Array): Buffer {
  const payloads: Buffer[] = [];
  new Demultiplexer((payload) => payloads.push(payload)).write(framed);
  return Buffer.concat(payloads);
}
