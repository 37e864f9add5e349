import { describe, expect, it } from "vitest";
import { confirm, confirmByName, confirmPoweredOff } from "../../src/cli/confirm.ts";
import type { CliContext } from "../../src/cli/context.ts";

/** Nobody sits at it. */
const alone = (environment: Readonly<Record<string, string>> = {}): CliContext => ({ interactive: false, environment }) as unknown as CliContext;

describe("a change without a terminal", () => {
  it("needs --yes or MILLWRIGHT_YES=1, and the refusal names the flag", async () => {
    await expect(confirm("Carry this out?", {}, alone())).rejects.toMatchObject({ code: "ANSWER_MISSING", hint: expect.stringContaining("--yes") });
    await expect(confirm("Carry this out?", {}, alone({ MILLWRIGHT_YES: "0" }))).rejects.toMatchObject({ code: "ANSWER_MISSING" });
    await confirm("Carry this out?", { yes: true }, alone());
    await confirm("Carry this out?", {}, alone({ MILLWRIGHT_YES: "1" }));
  });
});

describe("what cannot be meant by mistake", () => {
  it("needs the name of the stack: MILLWRIGHT_YES is not enough, and another name changes nothing", async () => {
    const typed = async (given?: string): Promise<void> => await confirmByName("End the plant?", "acme-production", given, alone({ MILLWRIGHT_YES: "1" }));
    await expect(typed()).rejects.toMatchObject({ code: "ANSWER_MISSING", hint: expect.stringContaining("--confirm acme-production") });
    await expect(typed("acme-staging")).rejects.toMatchObject({ code: "INTERRUPTED", message: 'Nothing was changed: "acme-staging" is not acme-production.' });
    await expect(typed("")).rejects.toMatchObject({ code: "INTERRUPTED" });
    await typed("acme-production");
  });

  it("needs the address of the very host that was switched off", async () => {
    const typed = async (given?: string): Promise<void> => await confirmPoweredOff("192.0.2.10", given, alone({ MILLWRIGHT_YES: "1" }));
    await expect(typed()).rejects.toMatchObject({ code: "ANSWER_MISSING", subject: "192.0.2.10", hint: expect.stringContaining("--powered-off 192.0.2.10") });
    await expect(typed("192.0.2.11")).rejects.toMatchObject({ code: "INTERRUPTED", hint: expect.stringContaining("when it is off") });
    await typed("192.0.2.10");
  });
});
