import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { readArguments } from "../../src/agent/arguments.ts";
import { callerName, parseGateCommand, refuseOtherStack } from "../../src/agent/gate.ts";
import { VERBS, type Verb } from "../../src/agent/protocol.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";

const IMAGE = `sha256:${"0123456789abcdef".repeat(4)}`;
const SAMPLES = { stack: "acme-production", plan: "deploy-2026.11_24a", service: "database", lines: "200", run: "20261124-020000-00ff", image: IMAGE };

const parse = (command: string | undefined): unknown => parseGateCommand(command, "1.2.3");
const code = (command: string | undefined): string => {
  try {
    parse(command);
    return "passed";
  } catch (error) {
    return error instanceof MillwrightError ? error.code : "another error";
  }
};

describe("the gate", () => {
  it("lets every verb through with well-formed arguments", () => {
    for (const verb of Object.keys(VERBS) as Verb[]) {
      const words = VERBS[verb].arguments.map((name) => SAMPLES[name]);
      expect(parse(["millwright/1.2.3", verb, ...words].join(" "))).toEqual({ verb, words });
    }
  });

  it("lets another patch version through and names both versions when the minor one differs", () => {
    expect(code("millwright/1.2.9 hello")).toBe("passed");
    expect(() => parse("millwright/1.3.0 hello")).toThrow(/agent is 1\.2\.3; this millwright is 1\.3\.0/);
    expect(code("millwright/2.2.3 hello")).toBe("AGENT_VERSION");
  });

  it("speaks of the version before it speaks of a verb that only the newer side knows", () => {
    expect(code("millwright/9.0.0 brand-new-verb with arguments")).toBe("AGENT_VERSION");
  });

  it.each([
    undefined,
    "",
    "bash",
    "scp -t /etc",
    "millwright/1.2.3",
    "millwright/1.2.3 ",
    "millwright/1.2.3  hello",
    " millwright/1.2.3 hello",
    "millwright/1.2.3 hello ",
    "millwright/1.2.3 hello\n",
    "millwright/1.2.3 hello\nmillwright/1.2.3 hello",
    "millwright/1.2.3 hello extra",
    "millwright/1.2.3 hello;id",
    "millwright/1.2.3 toString",
    "millwright/1.2.3 __proto__",
    "millwright/1.2.3 status",
    "millwright/1.2.3 status acme",
    "millwright/1.2.3 status ../etc",
    "millwright/1.2.3 status acme-production/..",
    "millwright/1.2.3 status -acme-production",
    "millwright/1.2.3 status acme-prod\u00fcction",
    "millwright/1.2.3 deploy acme-production ../../etc/shadow",
    "millwright/1.2.3 deploy acme-production .hidden",
    "millwright/1.2.3 logs acme-production database 0",
    "millwright/1.2.3 logs acme-production database 1e9",
    "millwright/1.2.3 logs acme-production --follow 10",
    `millwright/1.2.3 release-load acme-production ${IMAGE.toUpperCase()}`,
    `millwright/1.2.3 status ${"a".repeat(300)}-b`,
    `millwright/1.2.3 hello ${" x".repeat(300)}`,
  ])("refuses %j", (command) => {
    expect(code(command)).toBe("GATE_REFUSED");
  });

  it("does not repeat what it refuses, which might be anything", () => {
    expect(() => parse("millwright/1.2.3 status $(evil)")).toThrow(/^(?!.*evil)/s);
  });

  it("passes only words made of harmless characters, whatever comes in", () => {
    const word = fc.oneof(
      fc.constantFrom("acme-production", "plan-1", "database", "10", IMAGE),
      fc.string(),
      fc.constantFrom("$(id)", ";", "&&", "`id`", "|", "'", '"', "\\", "\0", "-rf", "..", "/etc", "*"),
    );
    const command = fc.tuple(fc.constantFrom(...Object.keys(VERBS)), fc.array(word, { maxLength: 4 }), fc.constantFrom(" ", "  ", "\t", "\n"));
    fc.assert(
      fc.property(command, ([verb, words, gap]) => {
        try {
          const parsed = parseGateCommand(`millwright/1.2.3 ${[verb, ...words].join(gap)}`, "1.2.3");
          expect(parsed.words.every((one) => /^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(one))).toBe(true);
          expect(parsed.words).toEqual(words);
        } catch (error) {
          if (!(error instanceof MillwrightError)) throw error;
          expect(error.code).toBe("GATE_REFUSED");
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("does not lose itself in long hostile strings", () => {
    for (const text of ["a-".repeat(100_000), `millwright/1.2.3 status ${"a-".repeat(240)}`, " ".repeat(100_000)]) expect(code(text)).toBe("GATE_REFUSED");
  });
});

describe("the stack that a key may name", () => {
  const refusal = (command: string, hostStack: string | undefined): string => {
    try {
      refuseOtherStack(parseGateCommand(command, "1.2.3"), hostStack);
      return "passed";
    } catch (error) {
      return error instanceof MillwrightError ? error.code : "another error";
    }
  };

  it("is the one that the host was bootstrapped for, with every verb that takes one", () => {
    for (const verb of Object.keys(VERBS) as Verb[]) {
      const names: readonly string[] = VERBS[verb].arguments;
      const command = ["millwright/1.2.3", verb, ...VERBS[verb].arguments.map((name) => SAMPLES[name])].join(" ");
      expect(refusal(command, "acme-production")).toBe("passed");
      expect(refusal(command, "acme-staging")).toBe(names.includes("stack") ? "GATE_REFUSED" : "passed");
    }
  });

  it("is none before the host was bootstrapped", () => {
    expect(refusal("millwright/1.2.3 status acme-production", undefined)).toBe("GATE_REFUSED");
  });
});

describe("a verb's arguments", () => {
  it("come by name", () => {
    expect(readArguments("logs", ["acme-production", "web", "50"])).toEqual({ stack: "acme-production", service: "web", lines: "50" });
  });

  it("are refused with the name of the one that is wrong", () => {
    expect(() => readArguments("deploy", ["acme-production", "a b"])).toThrow(/<plan>/);
  });
});

describe("the caller's name", () => {
  it("is the key's name and the address it came from", () => {
    expect(callerName("jo@works.example", "192.0.2.7 51234 192.0.2.1 22")).toBe("jo@works.example (192.0.2.7)");
    expect(callerName("ci", "2001:db8::7 51234 2001:db8::1 22")).toBe("ci (2001:db8::7)");
  });

  it("is the key's name alone when the address is absent or strange", () => {
    expect(callerName("ci", undefined)).toBe("ci");
    expect(callerName("ci", '"; rm -rf" 1 2 3')).toBe("ci");
  });

  it("is refused when the key has no proper name", () => {
    expect(() => callerName("Jo Smith\n", undefined)).toThrow(MillwrightError);
  });
});
