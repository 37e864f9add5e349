import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { timestamp } from "../../kernel/clock.ts";
import { environmentOf } from "../../site/site.ts";
import { readRelease } from "../../release/read-release.ts";
import { openEngine } from "../engine.ts";
import { openLink } from "../host-link.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly release: string;
  readonly docker?: string;
  readonly from?: string;
}

const missingSchema = z.object({ present: z.boolean(), missing: z.array(z.string()), wholeOnly: z.boolean() });

/** Only the layers that the host lacks travel, over the SSH connection; no registry is needed. */
export const releasePushCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { site, environment } = target;
  const release = await readRelease(site.files.releases, options.release);
  await using link = await openLink(target, options, context);
  const { present, missing, wholeOnly } = missingSchema.parse(
    await link.call("release-missing", [environment.stack], { payload: { image: release.image, layers: release.layers, base: release.base } }),
  );
  if (present) return { data: { release: release.id, sentBytes: 0, layers: 0 }, text: `${environment.host.address} has release ${release.id} already.` };
  if (wholeOnly) context.output.warn("The host's image store takes whole archives only: the base layers travel too.");

  const source = options.from === undefined ? target : { site, environment: environmentOf(site, options.from) };
  await using engine = await openEngine(source, options, context);
  context.output.say(`Sending ${missing.length} of ${release.layers.length} layers from ${engine.where} to ${environment.host.address} …`);
  let sentBytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sentBytes += chunk.length;
      context.output.event({ kind: "progress", at: timestamp(context.clock), id: "push", done: sentBytes, unit: "bytes" });
      done(undefined, chunk);
    },
  });
  const payload = new PassThrough();
  const sending = pipeline(await engine.export(release.image, missing), counter, payload);
  await Promise.all([sending, link.call("release-load", [environment.stack, release.image], { payload })]);
  return {
    data: { release: release.id, sentBytes, layers: missing.length },
    text: `${environment.host.address} has release ${release.id} now: ${missing.length} layers, ${(sentBytes / 1e6).toFixed(1)} MB sent.`,
  };
};
