import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { MillwrightError } from "../kernel/errors.ts";
import type { Shell } from "../kernel/shell.ts";
import { syntaxProblems } from "./dockerfile.ts";
import type { ImageStore } from "./image-store.ts";
import { unpackContext } from "./unpack-context.ts";
import { writeDockerfile } from "./write-dockerfile.ts";

export interface BuildOptions {
  readonly store: ImageStore;
  readonly shell: Shell;
  /** The context as `buildContext` makes it. */
  readonly context: Readable;
  readonly tag: string;
  /** Unix socket of the engine; the machine's own when left out. */
  readonly socket?: string;
  /** Existing folder for the unpacked context, which is removed again. */
  readonly workFolder: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Builds a release's image on this engine, the host's or the operator's own. */
export async function releaseBuild(options: BuildOptions): Promise<{ readonly image: string; readonly layers: readonly string[] }> {
  const directory = await mkdtemp(join(options.workFolder, "build-"));
  const lines: string[] = [];
  try {
    await unpackContext(options.context, directory);
    await writeDockerfile(directory);
    const { code } = await options.shell.run(["docker", "build", "--force-rm", "--tag", options.tag, directory], {
      environment: {
        BUILDKIT_PROGRESS: "plain",
        DOCKER_CLI_HINTS: "false",
        ...(options.socket === undefined ? {} : { DOCKER_HOST: `unix://${options.socket}` }),
      },
      onLine: (line) => {
        lines.push(line);
        options.onLine(line);
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (code !== 0) throw buildError(lines);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const image = await options.store.image(options.tag);
  if (image === undefined) throw new MillwrightError("BUILD_FAILED", "Docker reported success, but the image is not there.", { subject: options.tag });
  return { image: image.id, layers: image.layers };
}

/** The builder's output as an error: the addons' own syntax errors first, else its last lines. */
export function buildError(lines: readonly string[]): MillwrightError {
  const problems = syntaxProblems(lines);
  const first = problems[0];
  if (first !== undefined) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    return new MillwrightError("ADDON_SYNTAX", `addons/${first.file}:${first.line}: ${first.message}${more}`, {
      subject: `addons/${first.file}:${first.line}`,
      details: problems.map((problem) => `addons/${problem.file}:${problem.line}: ${problem.message}`),
      hint: "Mend the file and build again.",
    });
  }
  const text = lines.join("\n");
  if (/no space left on device/i.test(text)) {
    return new MillwrightError("BUILD_FAILED", "There is no space left on the disk of the Docker engine.", {
      hint: "Free space on the engine, then build again.",
      details: lines.slice(-5),
    });
  }
  if (/failed to resolve source metadata|pull access denied|manifest unknown|manifest for .* not found|error getting credentials/i.test(text)) {
    const hint = "Let the host pull it through its mirrors (`millwright deploy`), or load it there by hand.";
    return new MillwrightError("BUILD_FAILED", "The engine neither has the base image nor can pull it.", { hint, details: lines.slice(-8) });
  }
  return new MillwrightError("BUILD_FAILED", "Docker could not build the image.", { details: lines.slice(-15) });
}
