import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** A file of lines, open for appending. What is appended is in the file when `append` returns, so that a reader in another process sees it. */
export class LineFile implements Disposable {
  readonly #file: number;
  #isOpen = true;

  constructor(path: string, mode: number) {
    this.#file = openSync(path, "a+", mode);
  }

  /** Appends a line; once the file is closed, nothing: what comes late must not go to a file that has the number by then. */
  append(line: string): void {
    if (this.#isOpen) writeWhole(this.#file, Buffer.from(`${endsInMidLine(this.#file) ? "\n" : ""}${line}\n`));
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) closeSync(this.#file);
    this.#isOpen = false;
  }
}

/** A disk that gets full takes a part without a word; the system says why when it is asked to take the rest. */
function writeWhole(file: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}

/** A process that was killed, or a disk that got full, may have left a part of a line. */
function endsInMidLine(file: number): boolean {
  const last = Buffer.alloc(1);
  const { size } = fstatSync(file);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== "\n";
}
