import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inflateSync } from "node:zlib";

const CHROMIUM = "/usr/bin/chromium";

/** A machine without Chromium leaves these tests out; continuous integration must not. */
export const lacksChromium = !existsSync(CHROMIUM) && !process.env["CI"];

/** Hosts that the browser itself calls, whatever page it shows. */
const ITS_OWN = /^(?:http:\/\/)?[a-z0-9.-]+\.(?:googleapis|google)\.com[:/]/;

export interface Visit {
  /** The page as the browser has understood it. */
  readonly dom: string;
  /** What it told its console: broken policies, errors. */
  readonly console: readonly string[];
  /** Every request for the web that the page has made. */
  readonly requests: readonly string[];
}

/** Opens a file. Requests end at a proxy of ours, which answers none. */
export async function visit(file: string): Promise<Visit> {
  const requests: string[] = [];
  const proxy = createServer((request, response) => {
    requests.push(request.url ?? "");
    response.writeHead(502).end();
  });
  proxy.on("connect", (request, socket) => {
    requests.push(request.url ?? "");
    socket.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = proxy.address() as AddressInfo;
    const { stdout, stderr } = await chromium(`--proxy-server=http://127.0.0.1:${port}`, "--enable-logging=stderr", "--dump-dom", `file://${file}`);
    return { dom: stdout, console: stderr.split("\n").filter((line) => line.includes("CONSOLE")), requests: requests.filter((url) => !ITS_OWN.test(url)) };
  } finally {
    await new Promise((resolve) => proxy.close(resolve));
  }
}

/** The colour of the page's ground, as red, green and blue, when a reader prefers light or dark. */
export async function groundOf(file: string, prefers: "light" | "dark"): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), "millwright-picture-"));
  try {
    const picture = join(folder, "page.png");
    const dark = prefers === "dark" ? ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] : [];
    await chromium(...dark, "--window-size=400,300", "--hide-scrollbars", `--screenshot=${picture}`, `file://${file}`);
    return firstPixel(await readFile(picture));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function chromium(...words: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const profile = await mkdtemp(join(tmpdir(), "millwright-chromium-"));
  try {
    const quiet = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    return await promisify(execFile)(CHROMIUM, [...quiet, `--user-data-dir=${profile}`, ...words], { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 });
  } finally {
    // It writes to its profile a moment longer than it lives.
    await rm(profile, { recursive: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Of a PNG: whatever filter the first row has, it leaves the first pixel as it is. */
function firstPixel(png: Buffer): readonly number[] {
  const data: Buffer[] = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return [...inflateSync(Buffer.concat(data)).subarray(1, 4)];
}
