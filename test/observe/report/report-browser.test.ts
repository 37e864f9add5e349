import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportPage } from "../../../src/observe/report/report-page.ts";
import type { RunRecord } from "../../../src/observe/run-record.ts";
import { groundOf, lacksChromium, visit } from "./chromium.ts";
import { Recorder } from "./record-run.ts";

describe.skipIf(lacksChromium)("the report in a real browser", { timeout: 120_000 }, () => {
  let folder: string;
  let record: RunRecord;

  const write = async (page: string): Promise<string> => {
    const file = join(folder, "page.html");
    await writeFile(file, page);
    return file;
  };

  beforeAll(async () => {
    if (lacksChromium) return;
    folder = await mkdtemp(join(tmpdir(), "millwright-report-"));
    record = await (await Recorder.make({ manner: { breaksAfter: 40 } })).swap();
  });
  afterAll(async () => {
    if (!lacksChromium) await rm(folder, { recursive: true });
  });

  it("opens whole, breaks no policy of its own, and asks for nothing", async () => {
    const { dom, console, requests } = await visit(await write(reportPage(record)));
    expect(dom).toContain(record.plan.purpose);
    expect(dom).toContain(record.journal.head);
    expect(dom.match(/<svg/g)?.length).toBeGreaterThan(record.plan.steps.length);
    expect(console).toEqual([]);
    expect(requests).toEqual([]);
  });

  it("opens as well of a swap with a canary", async () => {
    const canary = await (await Recorder.make({ canary: [10, 50] })).swap();
    const { dom, console, requests } = await visit(await write(reportPage(canary)));
    expect(dom).toContain(`<title id="share-title">`);
    expect([console, requests]).toEqual([[], []]);
  });

  it("runs and fetches nothing that evidence holds", async () => {
    const hostile = `</pre></style><script>document.title = "run"</script><img src="http://evil.example/x"><svg onload="document.title='run'">`;
    const { dom, requests } = await visit(
      await write(
        reportPage({ ...record, who: hostile, plan: { ...record.plan, purpose: hostile }, evidence: [{ name: "log", text: JSON.stringify([hostile]) }] }),
      ),
    );
    expect(dom).toContain(`<title>acme-production: swap ${record.run}</title>`);
    expect(dom).not.toMatch(/<(?:script|img)\b/);
    expect(requests).toEqual([]);
  });

  it("would be seen to ask, if it did", async () => {
    const { requests } = await visit(await write(`<!doctype html><img src="http://erp.example/x.png"><script src="https://erp.example/a.js"></script>`));
    expect([...requests].sort()).toEqual(["erp.example:443", "http://erp.example/x.png"]);
  });

  it("is light or dark as its reader prefers", async () => {
    const file = await write(reportPage(record));
    expect(await groundOf(file, "light")).toEqual([255, 255, 255]);
    expect(await groundOf(file, "dark")).toEqual([0x11, 0x16, 0x1c]);
  });
});
