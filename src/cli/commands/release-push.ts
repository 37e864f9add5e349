import { environmentOf } from "../../site/site.ts";
import { readRelease } from "../../release/read-release.ts";
import { openEngine } from "../engine.ts";
import { openLink } from "../host-link.ts";
import type { Run } from "../program.ts";
import { sendImage } from "../send-image.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly release: string;
  readonly docker?: string;
  readonly from?: string;
}

/** Only the layers that the host lacks travel, over the SSH connection; no registry is needed. */
export const releasePushCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { site, environment } = target;
  const release = await readRelease(site.files.releases, options.release);
  await using link = await openLink(target, options, context);
  // A standby gets it from the host that it follows.
  const source = options.from === undefined && options.standby !== true ? target : { site, environment: environmentOf(site, options.from ?? options.env) };
  const { image, layers, base } = release;
  const from = async (): ReturnType<typeof openEngine> => await openEngine(source, options, context);
  const sent = await sendImage(link, environment, { image: { image, layers, base }, verb: "release-load", from }, context);
  const { address } = environment.host;
  if (sent === undefined) return { data: { release: release.id, sentBytes: 0, layers: 0 }, text: `${address} has release ${release.id} already.` };
  return {
    data: { release: release.id, ...sent },
    text: `${address} has release ${release.id} now: ${sent.layers} layers, ${(sent.sentBytes / 1e6).toFixed(1)} MB sent.`,
  };
};
