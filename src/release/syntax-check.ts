import { MillwrightError } from "../kernel/errors.ts";
import type { ImageStore, StoredImage } from "./image-store.ts";
import type { Layer } from "./layer.ts";
import { ADDONS_PATH } from "./image-config.ts";

/** Compiles every Python file in memory and writes nothing. */
export const CHECK_SYNTAX = `
import os, sys
bad = 0
for folder, _, names in os.walk("${ADDONS_PATH}"):
    for name in names:
        if not name.endswith(".py"):
            continue
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            bad += 1
            print("millwright-syntax: %s:%s: %s" % (os.path.relpath(path, "${ADDONS_PATH}"), getattr(error, "lineno", None) or 0, getattr(error, "msg", error)), flush=True)
sys.exit(1 if bad else 0)
`;

export interface CheckOptions {
  readonly store: ImageStore;
  readonly base: StoredImage;
  readonly addons: Layer;
  readonly signal?: AbortSignal;
}

/** Has the base image's own Python compile the addons, as they will lie in the release. */
export async function checkSyntax({ store, base, addons, signal }: CheckOptions): Promise<void> {
  await using bench = await store.workbench({ image: base.id, words: ["python3", "-I", "-B", "-c", CHECK_SYNTAX], network: false });
  await bench.put(await addons.open());
  const lines: string[] = [];
  const code = await bench.run((line) => lines.push(line), signal);
  if (code !== 0)
    throw syntaxError(lines) ?? new MillwrightError("BUILD_FAILED", `The check of the addons' syntax ended with ${code}.`, { details: lines.slice(-15) });
}

/** What the check has printed as an error; undefined when it found nothing. */
export function syntaxError(lines: readonly string[]): MillwrightError | undefined {
  const problems = lines.flatMap((line) => {
    const match = /^millwright-syntax: (.+?):(\d+): (.*)$/.exec(line);
    return match === null ? [] : [{ place: `addons/${match[1]}:${match[2]}`, message: match[3] ?? "" }];
  });
  const first = problems[0];
  if (first === undefined) return undefined;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new MillwrightError("ADDON_SYNTAX", `${first.place}: ${first.message}${more}`, {
    subject: first.place,
    details: problems.map(({ place, message }) => `${place}: ${message}`),
    hint: "Mend the file and build again.",
  });
}
