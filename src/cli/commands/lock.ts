import * as z from "zod";
import { readImageLock, writeImageLock } from "../../blueprint/image-lock.ts";
import { imagesOf } from "../../blueprint/view.ts";
import { timestamp } from "../../kernel/clock.ts";
import { openLink } from "../host-link.ts";
import { ownEngine } from "../own-engine.ts";
import type { Run } from "../program.ts";
import { readIfThere, writeDurable } from "../../kernel/durable-file.ts";
import { odooBlueprint } from "../rendered-stack.ts";
import { table } from "../table.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly docker?: string;
}

const digestsSchema = z.record(z.string(), z.string().regex(/^sha256:[0-9a-f]{64}$/));

export const lockCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { site } = target;
  const blueprint = odooBlueprint();
  const wanted = new Map([...site.environments.values()].flatMap((environment) => imagesOf(environment, blueprint)).map(({ name, source }) => [name, source]));
  const sources = [...new Set(wanted.values())].sort();
  context.output.say(`Asking for the digests of ${sources.length} images …`);
  const digests = options.docker === undefined ? await fromHost(sources) : await fromEngine(options.docker, sources);

  async function fromHost(references: readonly string[]): Promise<Readonly<Record<string, string>>> {
    await using link = await openLink(target, options, context);
    return digestsSchema.parse(await link.call("lock", [], { payload: { images: references } }));
  }
  async function fromEngine(socket: string, references: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const { lockImages } = await import("../../release/move-release.ts");
    return await lockImages(await ownEngine(socket, context), references);
  }

  const text = await readIfThere(site.files.lock);
  const before = text === undefined ? { version: 1 as const, images: {} } : readImageLock(text);
  const now = timestamp(context.clock);
  const images = Object.fromEntries(
    [...wanted].map(([name, source]) => {
      const digest = digests[source] ?? "";
      const old = before.images[name];
      // An image that is still the same keeps its entry, so that locking again changes nothing.
      return [name, old?.source === source && old.digest === digest ? old : { source, digest, lockedAt: now }];
    }),
  );
  const changed = Object.keys(images).filter((name) => images[name] !== before.images[name]);
  const dropped = Object.keys(before.images).filter((name) => images[name] === undefined);
  if (changed.length + dropped.length > 0) await writeDurable(site.files.lock, writeImageLock({ version: 1, images }));
  const rows = Object.entries(images).map(([name, image]) => [
    name,
    image.source,
    image.digest.slice(0, 19),
    changed.includes(name) ? "locked now" : "unchanged",
  ]);
  return { data: { images, changed, dropped }, text: table(["image", "tag", "digest", ""], rows) };
};
