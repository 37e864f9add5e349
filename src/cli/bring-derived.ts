import { derivedOf, type Stack } from "../blueprint/stack.ts";
import { timestamp } from "../kernel/clock.ts";
import type { Plan } from "../kernel/plan.ts";
import type { CliContext } from "./context.ts";
import type { HostLink } from "./host-link.ts";
import { ownEngine } from "./own-engine.ts";
import { sendImage } from "./send-image.ts";
import type { Target } from "./target.ts";

/** Makes the derived images that a plan finds missing on a Docker engine of this machine, and sends the host what it lacks of them. */
export async function bringDerived(link: HostLink, socket: string, { environment }: Target, stack: Stack, plan: Plan, context: CliContext): Promise<void> {
  const wanted = derivedOf(stack).filter(({ image }) => plan.steps.some((step) => step.kind === "derive" && step.params["image"] === image));
  if (wanted.length === 0) return;
  const [{ deriveImage }, { releaseExport }] = await Promise.all([import("../release/derive-image.ts"), import("../release/move-release.ts")]);
  const store = await ownEngine(socket, context);
  const from = async () => ({
    where: socket,
    export: async (image: string, layers: readonly string[]) => await releaseExport(store, image, layers),
    [Symbol.asyncDispose]: async () => {},
  });
  for (const derived of wanted) {
    context.output.say(`Putting ${derived.packages.join(" and ")} into ${derived.base.split("@")[0]} on ${socket} …`);
    const onLine = (text: string): void => context.output.event({ kind: "note", at: timestamp(context.clock), level: "info", text });
    const { id, layers } = await deriveImage({ store, derived, onLine, signal: context.signal });
    await sendImage(link, environment, { image: { image: id, layers, base: derived.base }, verb: "derived-load", from }, context);
  }
}
