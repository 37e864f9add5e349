import { COLOURS } from "../../../../src/blueprint/stack.ts";
import { STACK } from "../../../deploy/fixture-stack.ts";
import type { Rest } from "../rest.ts";

const PLATFORM = ["edge", "database", "exporter"];
/** Kept by the step `tidy`. */
const PAST_RELEASES = 5;

/** Nothing is left but what the policy keeps: the platform, what serves, and stopped containers of the release that the other colour holds. */
export function nothingLeftOver({ machine, serving, releases, lock, journal, plans }: Rest): readonly string[] {
  const { engine, unit, sockets } = machine;
  const wrong: string[] = [];
  if (lock !== undefined) wrong.push(`the lock is still held by ${lock.run}`);
  if (machine.isRedirected) wrong.push("users are still led to a proxy that stands in");
  if (unit.state !== "inactive") wrong.push(`the unit is ${unit.state}`);
  for (const [, owner] of sockets) if (!owner.isDead) wrong.push(`${owner.name} still holds the start mutex`);
  for (const service of PLATFORM) {
    const found = engine.containers.filter((container) => container.project === STACK && container.service === service);
    if (found.length !== 1 || found[0]?.state !== "running")
      wrong.push(`${found.length} containers of ${service}, ${found.map(({ state }) => state).join(" and ")}`);
  }
  for (const container of engine.containers) {
    const colour = COLOURS.find((candidate) => container.project === `${STACK}-${candidate}`);
    const what = `${container.name} (${container.state}, of ${container.image.slice(7, 40)})`;
    if (container.isOneOff) wrong.push(`${what} is left over from a single command`);
    else if (colour === undefined) {
      if (!PLATFORM.includes(container.service)) wrong.push(`${what} is nobody's`);
    } else if (container.name !== `${container.project}-${container.service}-1`) wrong.push(`${what} was never made whole`);
    else if (colour !== serving?.colour) {
      if (container.state !== "exited") wrong.push(`${what} is not stopped, and does not serve`);
      if (container.image !== releases[colour]?.image) wrong.push(`${what} is not of the release that ${colour} holds`);
    }
  }
  for (const release of [releases.blue, releases.green, serving?.previous?.release])
    if (release !== undefined && !engine.images.has(release.image))
      wrong.push(`the image of release ${release.id} is gone, to which a colour or a rollback may go`);
  const past = [...engine.images.values()].filter(({ id, tags }) => tags.length > 0 && id !== releases.blue?.image && id !== releases.green?.image);
  const last = journal.at(-1)?.run ?? "";
  const isTidied = plans.get(last)?.kind === "swap" && journal.some((entry) => entry.run === last && entry.step === "tidy" && entry.kind === "done");
  if (isTidied && past.length > PAST_RELEASES) wrong.push(`the images of ${past.length} past releases are left over`);
  return wrong;
}
