import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { timestamp } from "../kernel/clock.ts";
import type { Environment } from "../site/environment.ts";
import type { CliContext } from "./context.ts";
import type { Engine } from "./engine.ts";
import type { HostLink } from "./host-link.ts";

export interface Parcel {
  /** Id, layers from the base up, and the base by digest. */
  readonly image: { readonly image: string; readonly layers: readonly string[]; readonly base: string };
  readonly verb: "release-load" | "derived-load";
  readonly from: () => Promise<Pick<Engine, "where" | "export"> & AsyncDisposable>;
}

export interface Sent {
  readonly sentBytes: number;
  readonly layers: number;
}

const missingSchema = z.object({ present: z.boolean(), missing: z.array(z.string()) });

/** Brings an image of ours to a host, where only the layers that it lacks travel; undefined when it is there already. */
export async function sendImage(link: HostLink, { host, stack }: Environment, parcel: Parcel, context: CliContext): Promise<Sent | undefined> {
  const { image, layers } = parcel.image;
  const { present, missing } = missingSchema.parse(await link.call("release-missing", [stack], { payload: parcel.image }));
  // A derived image may be there without its name.
  if (present && parcel.verb === "release-load") return undefined;

  await using engine = await parcel.from();
  context.output.say(`Sending ${missing.length} of ${layers.length} layers from ${engine.where} to ${host.address} …`);
  let sentBytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sentBytes += chunk.length;
      context.output.event({ kind: "progress", at: timestamp(context.clock), id: "push", done: sentBytes, unit: "bytes" });
      done(undefined, chunk);
    },
  });
  const payload = new PassThrough();
  const sending = pipeline(await engine.export(image, missing), counter, payload);
  await Promise.all([sending, link.call(parcel.verb, [stack, image], { payload })]);
  return { sentBytes, layers: missing.length };
}
