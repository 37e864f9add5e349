import { readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { sampleTraffic } from "../../src/swap/sample-traffic.ts";
import { prepareSwap } from "../../src/swap/prepare-swap.ts";
import { readPreview, sayGo } from "../../src/swap/preview-file.ts";
import { ledTo, redirected } from "../fakes/led-to.ts";
import { FakeSite, ONE, ROUTES, served, STACK, TWO } from "./fake-site.ts";

const RUN = "run-1";
const ASKED = { previewSeconds: 3600 };

/** What leads testers, as those who follow are told it. */
interface Way {
  readonly path: string;
  readonly secret: string;
  readonly routes: string;
}

async function wayInto(site: FakeSite): Promise<Way> {
  const open = await readPreview(site.paths, RUN);
  const [path, secret] = [new URL(open?.link ?? "").pathname, open?.header.replace("X-Millwright-Preview: ", "") ?? ""];
  return { path, secret, routes: await site.routing() };
}

/** Runs an upgrade with a preview; `look` is called while it waits, and what it resolves to comes back. */
async function previewed<T>(
  site: FakeSite,
  look: (way: Way) => Promise<T>,
): Promise<{ readonly seen: T | undefined; readonly ended: Awaited<ReturnType<FakeSite["run"]>> }> {
  let looking: Promise<T> | undefined;
  const signal = new AbortController();
  // Written durably, a go can take longer than an hour of a clock on which nobody waits.
  site.onEvent = (event) => void (event.kind === "preview" && (site.clock.meanwhile = looking ??= wayInto(site).then(look)));
  const ended = await site.run((await prepareSwap(site.deps, TWO, ASKED)).plan, { signal: signal.signal });
  return { seen: await looking, ended };
}

const go = async (site: FakeSite): Promise<void> => await sayGo(site.paths, RUN, "maria");
const aborted = (): MillwrightError => new MillwrightError("ABORTED", "The run was aborted by a person.");

describe("a preview", () => {
  it("stands after the warm-up and before anybody is led or asked to end, and before a canary", async () => {
    const { swap } = (await FakeSite.make()).stack.facts;
    const plain = (await prepareSwap((await served()).deps, TWO, ASKED)).plan;
    const both = (await prepareSwap((await served({}, { swap: { ...swap, canary: { percent: [10], stageSeconds: 10 } } })).deps, TWO, ASKED)).plan;
    expect(plain.steps.map(({ id }) => id).join(" ")).toBe(
      "image baseline up answers warm preview cron-stop cron-ended switch front cron-start bake confirm drain retire tidy",
    );
    expect(both.steps.map(({ id }) => id).join(" ")).toContain("warm preview canary-10 cron-stop");
    expect(plain.steps.find(({ id }) => id === "preview")).toMatchObject({ undo: "lead testers back to blue at once", waitSeconds: 3600 });
  });

  it("is refused where nothing serves that others could stay on", async () => {
    const site = await FakeSite.make();
    site.addRelease(ONE);
    await expect(prepareSwap(site.deps, ONE, ASKED)).rejects.toMatchObject({ code: "PREVIEW_IMPOSSIBLE", exit: 2 });
  });

  it("leads by its header and by the cookie of its link, and nobody else: not with a wrong secret, nor with one of another run", async () => {
    const site = await served();
    const { seen } = await previewed(site, async ({ path, secret, routes }) => {
      const cookie = redirected(routes, path)?.["set-cookie"]?.split(";")[0] ?? "";
      const wrong = `${secret.slice(0, -1)}${secret.endsWith("0") ? "1" : "0"}`;
      await go(site);
      return [
        [{ "X-Millwright-Preview": secret }, { Cookie: cookie }, { Cookie: `a=b; ${cookie}; c=d` }],
        [
          {},
          { "X-Millwright-Preview": wrong },
          { "X-Millwright-Preview": "" },
          { Cookie: cookie.replace(secret, wrong) },
          { Cookie: cookie.replace("run-1", "run-0") },
          { Cookie: `${cookie}0` },
          { Cookie: `x${cookie}` },
        ],
      ].map((all) => all.map((headers) => ledTo(routes, headers)?.colour));
    });
    expect(seen).toEqual([Array.from({ length: 3 }, () => "green"), Array.from({ length: 7 }, () => "blue")]);
  });

  it("has a link that gives the cookie and leads to the first page, and is none but for the whole secret", async () => {
    const site = await served();
    const { seen } = await previewed(site, async ({ path, secret, routes }) => {
      await go(site);
      return [redirected(routes, path), redirected(routes, path.slice(0, -1)), redirected(routes, "/millwright-preview/"), secret] as const;
    });
    const [link, shorter, none, secret] = seen ?? [];
    expect(link).toEqual({ location: "/", "set-cookie": `millwright-preview-${RUN}=${secret ?? ""}; Path=/; Secure; HttpOnly; SameSite=Lax` });
    expect([shorter, none]).toEqual([undefined, undefined]);
  });

  it("leads pages, logins and websockets alike, each with its own rules and above its own plain router", async () => {
    const site = await served();
    const { seen } = await previewed(site, async ({ routes }) => {
      await go(site);
      return JSON.parse(routes) as { http: { routers: Record<string, Record<string, unknown>> } };
    });
    const routers = seen?.http.routers ?? {};
    expect(Object.entries(routers).map(([name, { service }]) => `${name} ${String(service)}`)).toEqual([
      "odoo odoo-blue",
      "odoo-preview odoo-green",
      "odoo-link noop@internal",
      "odoo-ws odoo-ws-blue",
      "odoo-ws-preview odoo-ws-green",
      "blocked noop@internal",
    ]);
    expect(routers["odoo-preview"]).toMatchObject({
      rule: expect.stringMatching(/^\(Host\(`erp\.example\.com`\)\) && /),
      middlewares: ["millwright-preview", "hold", "millwright-preview-header"],
      observability: { metrics: false },
    });
    expect(routers["odoo-link"]).toMatchObject({ observability: { metrics: false, accessLogs: false } });
    expect(Object.keys((JSON.parse(ROUTES) as typeof seen)?.http.routers ?? {})).toEqual(["odoo", "odoo-ws", "blocked"]);
  });

  it("leaves the scheduled jobs with the old release while it waits", async () => {
    const site = await served();
    const { seen } = await previewed(site, async () => {
      const running = await site.running("cron");
      await go(site);
      return running;
    });
    expect(seen).toEqual(["blue"]);
  });

  it("tells in its event how long it waits, and not what leads to it", async () => {
    const site = await served();
    const { seen } = await previewed(site, async ({ secret }) => {
      await go(site);
      return secret;
    });
    const told = site.events.find((event) => event.kind === "preview");
    expect(told).toEqual({ kind: "preview", at: expect.any(String), id: "preview", colour: "green", until: expect.any(String) });
    if (told?.kind === "preview") expect(Date.parse(told.until) - Date.parse(told.at)).toBe(3_600_000);
    expect(seen).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify([site.events, site.journalEntries])).not.toContain(seen);
  });

  it("keeps its secret in the run's folder for the agent alone, and nowhere once it is over", async () => {
    const site = await served();
    const file = `${site.paths.run(RUN)}/preview.json`;
    const { seen } = await previewed(site, async ({ secret }) => {
      const { mode } = await stat(file);
      await go(site);
      return { secret, mode: mode & 0o777 };
    });
    expect(seen?.mode).toBe(0o600);
    await expect(stat(file)).rejects.toThrow("ENOENT");
    expect(await site.routing()).not.toContain(seen?.secret);
    expect(await site.routing()).not.toContain("preview");
  });

  it("has another secret each time", async () => {
    const secrets = await Promise.all([1, 2].map(async () => (await previewed(await served(), async ({ secret }) => secret)).seen));
    expect(new Set(secrets).size).toBe(2);
  });
});

describe("a go", () => {
  it("brings the swap to its end, and the journal says who gave it", async () => {
    const site = await served();
    const { ended } = await previewed(site, async () => await go(site));
    expect(ended.outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "green", serving: "green", cron: ["green"], isServed: true });
    const done = site.journalEntries.find(({ run, step, kind }) => run === RUN && step === "preview" && kind === "done");
    expect(done?.detail).toMatchObject({ by: "maria", summary: expect.stringMatching(/^maria said go after \d+ s$/) });
  });

  it("leads testers back first, so that what comes next begins as without a preview", async () => {
    const site = await served();
    const routes: Promise<string>[] = [];
    site.atPoint = (what) => void (what === "after begun cron-stop" && routes.push(site.routing()));
    await previewed(site, async () => await go(site));
    expect(ledTo((await routes[0]) ?? "")).toMatchObject({ colour: "blue", switchId: "run-0" });
    expect(await routes[0]).not.toContain("green");
  });

  it("leaves nothing of what testers did among the counts that the bake goes by", async () => {
    const site = await served();
    const { seen } = await previewed(site, async ({ secret }) => {
      const { green } = (await sampleTraffic(site.deps)) ?? {};
      for (let index = 0; index < 40; index += 1) {
        await site.deps.http.ask({
          address: "127.0.0.1",
          port: 443,
          path: "/web/login",
          headers: { "X-Millwright-Preview": secret },
          timeoutMilliseconds: 1000,
        });
      }
      const after = (await sampleTraffic(site.deps))?.green;
      await go(site);
      return [green?.requests, after?.requests];
    });
    expect(seen).toEqual([0, 0]);
  });
});

describe("a preview without a go", () => {
  it("is taken back when its time is over, and says so by a code of its own", async () => {
    const site = await served();
    const { ended, seen } = await previewed(site, async (way) => way);
    expect(ended).toMatchObject({ outcome: "undone", error: { code: "PREVIEW_EXPIRED", exit: 6 } });
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(await site.running("web")).toEqual(["blue"]);
    expect(await site.routing()).not.toContain(seen?.secret);
    await expect(readFile(`${site.paths.run(RUN)}/preview.json`)).rejects.toThrow("ENOENT");
    expect(site.journalEntries.filter(({ run, step }) => run === RUN && (step === "switch" || step === "cron-stop"))).toEqual([]);
  });

  it("ends as soon as there is nothing to look at any more", async () => {
    const site = await served();
    const { ended } = await previewed(site, async () => {
      const web = (await site.docker.containers(`${STACK}-green`)).find(({ service }) => service === "web");
      await site.docker.stop(web?.id ?? "", 0);
    });
    expect(ended).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY", message: expect.stringContaining("The web container of green") } });
  });

  it("aborted, leads testers back before anything else is undone", async () => {
    const site = await served();
    const controller = new AbortController();
    const plan = (await prepareSwap(site.deps, TWO, ASKED)).plan;
    let calls: readonly string[] | undefined;
    site.onEvent = (event) => {
      if (event.kind === "preview") controller.abort(aborted());
      if (event.kind === "step" && event.id === "preview" && event.state === "undone") calls ??= [...site.docker.calls];
    };
    const before = site.docker.calls.length;
    expect((await site.run(plan, { signal: controller.signal })).error?.code).toBe("ABORTED");
    expect(calls?.slice(before).filter((call) => /^(stop|remove)/.test(call))).toEqual([]);
    expect(await site.routing()).not.toMatch(/green|preview/);
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
  });
});

describe("a proxy whose link would give no cookie", () => {
  it("shows the release to nobody: the swap goes back before anyone is told a link", async () => {
    const site = await served();
    site.link = (routing, path) => (redirected(routing, path) === undefined ? undefined : { location: "/" });
    const ended = await site.run((await prepareSwap(site.deps, TWO, ASKED)).plan);
    expect(ended).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY", message: expect.stringContaining("without its cookie") } });
    expect(site.events.filter(({ kind }) => kind === "preview")).toEqual([]);
  });
});
