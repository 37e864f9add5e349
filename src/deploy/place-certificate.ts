import { posix } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Stack } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { Secret } from "../kernel/secret.ts";
import { contentName, contentOf, type MaterialisedFile } from "./materialised-file.ts";

export const CHAIN = "edge/tls/chain.pem";
export const KEY = "edge/tls/key.pem";

/** A stack's own certificate as it lies on the host. */
export interface PlacedCertificate {
  readonly files: readonly MaterialisedFile[];
  /** Traefik's dynamic file, which names chain and key by their content. */
  readonly pointer: string;
  /** Where each lies, by its path in the stack. */
  readonly placed: Readonly<Record<string, string>>;
  readonly chain: string;
  readonly key: Secret;
}

interface Options {
  readonly stack: Pick<Stack, "files" | "facts">;
  readonly paths: Pick<HostPaths, "certificates">;
  readonly fill: (content: string) => string;
}

/** Undefined for a stack whose certificate is fetched by ACME, for a standby's, which has no proxy, and for one of a version whose proxy had to be renewed for it. Pure. */
export function placeCertificate(options: Options): PlacedCertificate | undefined {
  const { stack, paths } = options;
  if (stack.facts.follows !== undefined) return undefined;
  const template = stack.files.find(({ path }) => path === "edge/certificate.json")?.content;
  if (template === undefined) return undefined;
  const place = (path: string): MaterialisedFile => {
    const file = stack.files.find((one) => one.path === path);
    if (file === undefined) throw new MillwrightError("STACK_INVALID", `The stack names a certificate and lacks ${path}.`, { subject: path });
    const made = contentOf(file, options.fill);
    return { path: posix.join(paths.certificates, contentName(made, path)), ...made };
  };
  const [chain, key] = [place(CHAIN), place(KEY)];
  const pointer = template.replaceAll("/tls/chain.pem", `/tls/${posix.basename(chain.path)}`).replaceAll("/tls/key.pem", `/tls/${posix.basename(key.path)}`);
  return { files: [chain, key], pointer, placed: { [CHAIN]: chain.path, [KEY]: key.path }, chain: chain.content, key: new Secret(key.content) };
}
