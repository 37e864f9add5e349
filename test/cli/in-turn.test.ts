import { describe, expect, it } from "vitest";
import { inTurn } from "../../src/cli/in-turn.ts";

describe("commands that are parts of another", () => {
  it("say what they did when they have ended, the last one only as the result of the whole", async () => {
    const said: string[] = [];
    const whole = await inTurn({ say: (text) => void said.push(text) }, [
      ["deploy", async () => ({ data: 1, text: "deployed" })],
      ["upgrade", async (before) => ({ data: Number(before) + 1, text: "it serves" })],
    ]);
    expect(whole).toEqual({ data: { deploy: 1, upgrade: 2 }, text: "it serves" });
    expect(said).toEqual(["\ndeploy", "deployed", "\nupgrade"]);
  });
});
