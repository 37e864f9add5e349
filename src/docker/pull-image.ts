import type Dockerode from "dockerode";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { dockerError, knownDockerError, lastLine } from "./docker-error.ts";
import type { PullBytes, PullOptions } from "./docker.ts";
import { jsonLines } from "./stream-lines.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Pulls an image through the engine's mirrors and returns the digest that the registry gave. A pull answers 200 when it *starts*;
 * what goes wrong comes inside the stream, so every line is looked at. Its time has no bound, as links may be slow, but its silence has.
 */
export async function pullImage(engine: Dockerode, reference: string, stallMilliseconds: number, options: PullOptions = {}): Promise<string> {
  const layers = new Map<string, PullBytes>();
  let digest: string | undefined;
  using watch = new Watchdog(stallMilliseconds, () => stalled(reference, stallMilliseconds), options.signal);
  try {
    const stream = await engine.pull(withoutTag(reference), { abortSignal: watch.signal });
    await jsonLines(stream as AsyncIterable<Uint8Array>, (value) => {
      watch.heard();
      if (typeof value["error"] === "string") throw new Error(value["error"]);
      const status = typeof value["status"] === "string" ? value["status"] : "";
      digest = /^Digest: (sha256:[0-9a-f]{64})$/.exec(status)?.[1] ?? digest;
      const bytes = bytesOf(value["progressDetail"]);
      if (typeof value["id"] === "string" && status === "Downloading" && bytes !== undefined) layers.set(value["id"], bytes);
      options.onProgress?.(status, layers.size === 0 ? undefined : sumOf(layers));
    });
  } catch (error) {
    throw watch.signal.aborted ? watch.signal.reason : await pullError(engine, error, reference);
  }
  if (digest === undefined) throw new MillwrightError("DOCKER_FAILED", `The engine ended the pull of ${reference} without a digest.`, { subject: reference });
  return digest;
}

function stalled(reference: string, milliseconds: number): MillwrightError {
  return new MillwrightError("TIMED_OUT", `Nothing more of ${reference} has come for ${Math.round(milliseconds / 60_000)} minutes.`, {
    subject: reference,
    hint: "Check the host's way to its mirrors and registry, then run the command again: layers that came whole are kept.",
  });
}

/** `name:tag@digest` as `name@digest`: the engine takes one of the two, and the digest is the one that counts. */
function withoutTag(reference: string): string {
  const at = reference.indexOf("@");
  return at < 0 ? reference : reference.slice(0, at).replace(/:[^:/]+$/, "") + reference.slice(at);
}

function bytesOf(detail: unknown): PullBytes | undefined {
  if (typeof detail !== "object" || detail === null || !("current" in detail) || !("total" in detail)) return undefined;
  return typeof detail.current === "number" && typeof detail.total === "number" ? { done: detail.current, total: detail.total } : undefined;
}

function sumOf(layers: ReadonlyMap<string, PullBytes>): PullBytes {
  const all = [...layers.values()];
  return { done: all.reduce((sum, layer) => sum + layer.done, 0), total: all.reduce((sum, layer) => sum + layer.total, 0) };
}

async function pullError(engine: Dockerode, error: unknown, reference: string): Promise<MillwrightError> {
  const words = messageOf(error);
  const known = knownDockerError(/dial tcp|registry|https?:\/\//.test(words) ? words.replaceAll("ECONNREFUSED", "") : words, reference, error);
  if (known !== undefined) return known;
  if (!/not found|manifest unknown|denied|does not exist|dial tcp|no such host|timeout|EOF|unreachable|deadline|x509|certificate/i.test(words))
    return dockerError(error, reference);
  const mirrors = await mirrorsOf(engine);
  const where = mirrors.length === 0 ? "the registry (no mirrors are set)" : `the mirrors ${mirrors.join(", ")} nor the registry`;
  const hint = "Check the name in images.lock.yaml and that the host reaches a registry (`docker.mirrors` in site.yaml).";
  return new MillwrightError("IMAGE_MISSING", `${reference} is in neither ${where}: ${lastLine(words)}`, { subject: reference, hint, cause: error });
}

async function mirrorsOf(engine: Dockerode): Promise<readonly string[]> {
  const info: unknown = await engine.info();
  const config = (info as { readonly RegistryConfig?: { readonly Mirrors?: readonly string[] | null } }).RegistryConfig;
  return config?.Mirrors ?? [];
}
