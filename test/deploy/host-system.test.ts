import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { blocks, linuxHost, parseListeners } from "../../src/deploy/host-system.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (local: string, state: string): string => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1234 1\n`;
const row6 = (local: string): string =>
  `   0: ${local} 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1\n`;

describe("the kernel's table of sockets", () => {
  it("gives the listening ones with their addresses", () => {
    expect(parseListeners(HEAD + row("0100007F:0050", "0A") + row("00000000:01BB", "0A") + row("0100007F:1F90", "01"))).toEqual([
      { address: "127.0.0.1", port: 80 },
      { address: "0.0.0.0", port: 443 },
    ]);
    expect(parseListeners(HEAD + row6("00000000000000000000000000000000:01BB") + row6("0000000000000000FFFF00000100007F:0050"))).toEqual([
      { address: "::", port: 443 },
      { address: "127.0.0.1", port: 80 },
    ]);
  });

  it("stands in the way of a port on the same address or on every address", () => {
    expect(blocks({ address: "::", port: 80 }, { address: "10.0.0.5", port: 80 })).toBe(true);
    expect(blocks({ address: "127.0.0.1", port: 80 }, { address: "10.0.0.5", port: 80 })).toBe(false);
    expect(blocks({ address: "127.0.0.1", port: 80 }, { address: "0.0.0.0", port: 80 })).toBe(true);
    expect(blocks({ address: "0.0.0.0", port: 81 }, { address: "0.0.0.0", port: 80 })).toBe(false);
  });

  it.skipIf(process.platform !== "linux")("is this machine's own, and free space is known for a path that is not there yet", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await linuxHost.listeners()).toContainEqual({ address: "127.0.0.1", port });
    server.close();
    expect(await linuxHost.freeBytes("/tmp/not/there/yet")).toBeGreaterThan(0);
  });
});
