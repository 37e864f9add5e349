import { describe, expect, it } from "vitest";
import { prepareSwap } from "../../src/swap/prepare-swap.ts";
import { FakeSite, releaseNamed } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2");

/** The first release serves; as soon as users have been moved to the second, `befalls` comes to pass. */
async function switched(befalls: (site: FakeSite) => void): Promise<FakeSite> {
  const site = await FakeSite.make();
  site.addRelease(ONE);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.addRelease(TWO);
  site.asked.length = 0;
  site.onEvent = (event) => {
    if (event.kind === "step" && event.id === "front" && event.state === "begun") befalls(site);
  };
  return site;
}

const hasBadPages = (site: FakeSite, ...releases: readonly (typeof ONE)[]): void => {
  for (const { image } of releases) site.manners.set(image, { login: 500 });
};
/** When a login page is asked for through the front door for that time from now on, counted from one. */
function fromPage(site: FakeSite, number: number, befalls: () => void): void {
  const { atPoint } = site;
  let asked = 0;
  site.atPoint = (what) => {
    atPoint(what);
    if (what === "front /web/login" && ++asked === number) befalls();
  };
}

const frontEnds = (site: FakeSite): string | undefined =>
  site.events.flatMap((event) => (event.kind === "step" && event.id === "front" && event.state !== "begun" ? [event.state] : []))[0];
const throughTheDoor = (site: FakeSite): number => site.asked.filter(({ port, path }) => port === 443 && path === "/web/login").length;

describe("a release that breaks as users come to it", () => {
  it("keeps them for ten wrong pages and not for the proxy's whole time", async () => {
    let before = 0;
    let began = 0;
    const site = await switched((at) => {
      before = throughTheDoor(at);
      began = at.clock.now();
      hasBadPages(at, TWO);
    });
    let gaveUp: readonly number[] = [];
    const tell = site.onEvent;
    site.onEvent = (event) => {
      tell(event);
      if (event.kind === "step" && event.id === "front" && event.state === "failed") gaveUp = [throughTheDoor(site) - before, site.clock.now() - began];
    };
    const { outcome, error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect({ outcome, code: error?.code, message: error?.message }).toEqual({
      outcome: "undone",
      code: "RELEASE_UNHEALTHY",
      message: "Through the front door: /web/login answered 500.",
    });
    expect(gaveUp[0]).toBe(10);
    expect(gaveUp[1]).toBeLessThan(500);
    expect(site.hungUp).toEqual([]);
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
  });

  it("is not blamed while the old one's own page is wrong too", async () => {
    const site = await switched((at) => {
      hasBadPages(at, ONE, TWO);
      // Twice the ten, and more.
      fromPage(at, 25, () => at.manners.clear());
    });
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(frontEnds(site)).toBe("done");
  });

  it("is not given up when a page in between is good: that is for the bake to judge", async () => {
    const site = await switched((at) => {
      hasBadPages(at, TWO);
      fromPage(at, 10, () => at.manners.clear());
      fromPage(at, 11, () => hasBadPages(at, TWO));
      fromPage(at, 20, () => at.manners.clear());
    });
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(frontEnds(site)).toBe("done");
  });
});
