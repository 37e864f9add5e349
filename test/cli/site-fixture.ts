import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";
import { renderedStack } from "../../src/cli/rendered-stack.ts";
import { loadTarget } from "../../src/cli/target.ts";
import { systemClock } from "../../src/kernel/clock.ts";

/** A complete site in a temporary folder, and an operator of it. */
export class SiteFixture implements AsyncDisposable {
  readonly folder: string;
  readonly site: string;
  /** Standard output and standard error, as a person at a terminal would see them. */
  written = { stdout: "", stderr: "" };

  private constructor(folder: string) {
    this.folder = folder;
    this.site = join(folder, "site");
  }

  static async make(): Promise<SiteFixture> {
    const fixture = new SiteFixture(await mkdtemp(join(tmpdir(), "millwright-cli-")));
    await cp("examples/minimal", fixture.site, { recursive: true });
    await renderedStack(await loadTarget({}, fixture.context()), fixture.context());
    return fixture;
  }

  context(over: Partial<CliContext> = {}): CliContext {
    const to = (name: "stdout" | "stderr") => ({ write: (text: string): void => void (this.written[name] += text) });
    return {
      directory: this.site,
      environment: {},
      home: this.folder,
      user: "ann",
      interactive: false,
      output: new Output({ mode: "text", streams: { stdout: to("stdout"), stderr: to("stderr") }, colour: false, live: false, debug: false }),
      clock: systemClock,
      signal: new AbortController().signal,
      configDirectory: join(this.folder, "config"),
      input: undefined,
      ...over,
    };
  }

  /** The same on a laptop that has never seen the site, in an empty folder. */
  elsewhere(): CliContext {
    return this.context({ directory: join(this.folder, "elsewhere"), configDirectory: join(this.folder, "new-laptop"), user: "bob" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
