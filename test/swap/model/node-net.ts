import { systemError } from "./disk.ts";
import { currentProcess, effect } from "./process.ts";

/** Servers on abstract sockets of the machine: taken while their process lives. What `vi.mock` puts in the place of `node:net`. */
export function createServer(): AbstractServer {
  return new AbstractServer();
}

class AbstractServer {
  #onError: (error: Error) => void = () => {};
  #name = "";

  once(_event: "error", listener: (error: Error) => void): void {
    this.#onError = listener;
  }

  listen(name: string, onListening: () => void): void {
    const process = currentProcess();
    const { sockets } = process.host;
    this.#name = name;
    void effect("socket", "listen", () => {
      const owner = sockets.get(name);
      if (owner !== undefined && !owner.isDead) return false;
      sockets.set(name, process);
      return true;
    }).then((isFree) => (isFree ? onListening() : this.#onError(systemError("EADDRINUSE", name))));
  }

  close(onClosed: () => void): void {
    const { sockets } = currentProcess().host;
    void effect("socket", "close", () => void sockets.delete(this.#name)).then(onClosed);
  }
}
