import { StringDecoder } from "node:string_decoder";

/** Cuts text that arrives in pieces into lines, also inside multi-byte characters and with a last line that lacks its line feed. */
export class LineCutter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.write(Buffer.from(chunk))).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const line of parts) this.#onLine(line.replace(/\r$/, ""));
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (rest !== "") this.#onLine(rest.replace(/\r$/, ""));
  }
}

/**
 * The JSON lines of an engine's answer. Parsed here and not by `followProgress`: that one drops a cut last line silently and throws
 * inside its data handler on a line that is not JSON (docker-modem#146).
 */
export async function jsonLines(stream: AsyncIterable<Uint8Array | string>, onValue: (value: Readonly<Record<string, unknown>>) => void): Promise<void> {
  const cutter = new LineCutter((line) => {
    if (line.trim() === "") return;
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) onValue(value as Record<string, unknown>);
  });
  for await (const chunk of stream) cutter.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  cutter.end();
}
