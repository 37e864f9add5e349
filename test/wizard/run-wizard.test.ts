import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { readAnswers, type AnswersSoFar } from "../../src/wizard/answers.ts";
import type { Ask } from "../../src/wizard/ask.ts";
import { describeQuestions } from "../../src/wizard/describe-questions.ts";
import { inquirerAsk } from "../../src/wizard/inquirer-ask.ts";
import { siteNameFrom } from "../../src/wizard/questions.ts";
import { runWizard } from "../../src/wizard/run-wizard.ts";
import { fakeAsk } from "./fake-ask.ts";

const ANSWERS = { company: "Acme Pumps GmbH", domain: "erp.acme.example", address: "192.0.2.1", proceed: true };
const nobody = (): Ask => inquirerAsk({ interactive: false, signal: new AbortController().signal });

function wizard(folder: string, ask: Ask, given: AnswersSoFar = {}) {
  const lines: string[] = [];
  const run = runWizard({ ask, given, progressFile: join(folder, ".millwright/answers.json"), say: (line) => void lines.push(line) });
  return { run, lines };
}

describe("the wizard", () => {
  it("asks only what was not given, and proposes the rest", async () => {
    await using folder = await createFixture({});
    const ask = fakeAsk({ ...ANSWERS, users: 12 });
    const answers = await wizard(folder.path, ask, { company: "Acme Pumps GmbH", cpus: 8 }).run;
    expect(ask.asked).not.toContain("company");
    expect(ask.asked).not.toContain("acmeEmail");
    expect(answers).toMatchObject({
      name: "acme-pumps",
      series: "19.0",
      users: 12,
      cpus: 8,
      modules: ["mrp", "stock", "purchase", "sale_management"],
      jump: "",
    });
  });

  it("asks for what an earlier answer calls for", async () => {
    await using folder = await createFixture({});
    const ask = fakeAsk({ ...ANSWERS, certificate: "acme", acmeEmail: "it@acme.example", staging: true, stagingAddress: "192.0.2.2" });
    expect(await wizard(folder.path, ask).run).toMatchObject({ acmeEmail: "it@acme.example", stagingDomain: "staging.erp.acme.example" });
  });

  it("goes on where it was stopped, and says so", async () => {
    await using folder = await createFixture({});
    await expect(wizard(folder.path, fakeAsk(ANSWERS, "domain")).run).rejects.toMatchObject({ code: "INTERRUPTED" });
    const ask = fakeAsk(ANSWERS);
    const second = wizard(folder.path, ask);
    expect((await second.run).company).toBe("Acme Pumps GmbH");
    expect(ask.asked[0]).toBe("domain");
    expect(second.lines[0]).toMatch(/^Going on where you stopped: 5 answers kept from before, \d+ questions left\.$/);
  });

  it("keeps answers for its owner's eyes only", async () => {
    await using folder = await createFixture({});
    await expect(wizard(folder.path, fakeAsk(ANSWERS, "domain")).run).rejects.toThrow();
    const file = join(folder.path, ".millwright/answers.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ company: "Acme Pumps GmbH" });
  });

  it("starts anew, and says so, when the kept answers cannot be read", async () => {
    await using folder = await createFixture({ ".millwright/answers.json": "{" });
    const { run, lines } = wizard(folder.path, fakeAsk(ANSWERS));
    await run;
    expect(lines[0]).toContain("starting anew");
  });

  it("shows what the host is divided into before it goes on", async () => {
    await using folder = await createFixture({});
    const { run, lines } = wizard(folder.path, fakeAsk(ANSWERS));
    await run;
    expect(lines.join("\n")).toMatch(/Odoo workers +4 /);
  });

  it("writes nothing when the person does not go on, and keeps the answers", async () => {
    await using folder = await createFixture({});
    await expect(wizard(folder.path, fakeAsk({ ...ANSWERS, proceed: false })).run).rejects.toMatchObject({ code: "INTERRUPTED" });
    await expect(stat(join(folder.path, ".millwright/answers.json"))).resolves.toBeDefined();
  });

  it("asks again for the size of a host that is too small", async () => {
    await using folder = await createFixture({});
    const ask = fakeAsk({ ...ANSWERS, memory: ["2GiB", "8GiB"] });
    const { run, lines } = wizard(folder.path, ask);
    expect((await run).memory).toBe("8GiB");
    expect(lines.join("\n")).toContain("needs at least");
  });
});

describe("the wizard without a terminal", () => {
  it("names everything that is missing at once, with its flag", async () => {
    await using folder = await createFixture({});
    await expect(wizard(folder.path, nobody(), { company: "Acme" }).run).rejects.toMatchObject({
      code: "ANSWER_MISSING",
      subject: "users, domain, certificate, address, admin, memory, cpus",
      hint: expect.stringContaining("--set domain=…"),
    });
  });

  it("takes the proposals that are right for most, and leaves no file behind", async () => {
    await using folder = await createFixture({});
    const given = { company: "Acme", users: 10, domain: "a.b", certificate: "ca", address: "192.0.2.1", admin: "root", memory: "4GiB", cpus: 2 } as const;
    expect(await wizard(folder.path, nobody(), given).run).toMatchObject({ name: "acme", port: 22, sessions: "files", staging: false });
    await expect(stat(join(folder.path, ".millwright"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("fails instead of asking for the size again", async () => {
    await using folder = await createFixture({});
    const given = { company: "Acme", users: 10, domain: "a.b", certificate: "ca", address: "192.0.2.1", admin: "root", memory: "2GiB", cpus: 2 } as const;
    await expect(wizard(folder.path, nobody(), given).run).rejects.toMatchObject({ code: "ANSWERS_INVALID" });
  });
});

describe("answers given beforehand", () => {
  it("come from the file and are overruled by --set", () => {
    expect(readAnswers({ users: 10, staging: "yes", modules: ["mrp"] }, ["users=20", "modules=stock, mrp", "company=a=b"])).toEqual({
      users: 20,
      staging: true,
      modules: ["stock", "mrp"],
      company: "a=b",
    });
  });

  it("are refused all at once", () => {
    const failure = {
      code: "ANSWERS_INVALID",
      exit: 2,
      details: [expect.stringContaining('"users"'), expect.stringContaining("cpus"), expect.stringContaining("must be key=value")],
    };
    expect(() => readAnswers({ user: 10 }, ["cpus=many", "x"])).toThrow(expect.objectContaining(failure));
  });

  it("say what to type when one is not right, in no words of the parser", () => {
    const wrong = [
      "jump=foo",
      "mirror=foo",
      "dataDisk=foo",
      "users=many",
      "users=0",
      "port=70000",
      "cpus=1.5",
      "series=16.0",
      "staging=maybe",
      "certificate=none",
    ];
    const file = { company: 5, modules: 5, sessions: "sql" };
    const refusal = (() => {
      try {
        return readAnswers(file, wrong);
      } catch (error) {
        return error as { readonly details: readonly string[] };
      }
    })();
    expect(refusal).toMatchObject({ code: "ANSWERS_INVALID" });
    const { details } = refusal as { readonly details: readonly string[] };
    expect(details).toHaveLength(13);
    for (const detail of details) expect(detail).toMatch(/: must be /);
    expect(details).toContain("--set jump: must be account@host or account@host:port, or empty");
    expect(details).toContain("--set users: must be a whole number from 1 to 2000");
  });

  it("may be empty where there may be none", () => {
    expect(readAnswers({}, ["jump=", "mirror=", "dataDisk="])).toEqual({ jump: "", mirror: "", dataDisk: "" });
  });

  it("can be listed with their keys", () => {
    expect(describeQuestions().find(({ key }) => key === "sessions")).toMatchObject({ takes: "files, redis", assumed: "files" });
  });
});

describe("a site's proposed name", () => {
  it.each([
    ["Müller & Söhne GmbH", "muller-sohne"],
    ["3M Werke", "m-werke"],
    ["Groß AG", "gross"],
    ["漢字", undefined],
    ["The Very Long Name of a Manufacturer", "the-very-long-name-of-a"],
  ])("for %s is %s", (company, name) => expect(siteNameFrom(company)).toBe(name));
});

describe("asking on a terminal", () => {
  const question = { key: "company", flag: "--set company=…", message: "Company", explanation: "As people write it." };

  it("never waits when there is none, and names the flag", async () => {
    await expect(nobody().input(question)).rejects.toMatchObject({ code: "ANSWER_MISSING", subject: "company", hint: "Pass --set company=…." });
  });

  it("takes what is typed, with the explanation above the question", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = inquirerAsk({ interactive: true, signal: new AbortController().signal, input, output }).input(question);
    setImmediate(() => input.write("Acme\n"));
    expect(await answer).toBe("Acme");
    expect(String(output.read())).toContain("As people write it.");
  });

  it("ends as interrupted when the program is told to stop", async () => {
    const stop = new AbortController();
    const answer = inquirerAsk({ interactive: true, signal: stop.signal, input: new PassThrough(), output: new PassThrough() }).input(question);
    setImmediate(() => stop.abort());
    await expect(answer).rejects.toMatchObject({ code: "INTERRUPTED", exit: 130 });
  });

  it("ends as interrupted at Ctrl-C", async () => {
    const input = new PassThrough();
    const answer = inquirerAsk({ interactive: true, signal: new AbortController().signal, input, output: new PassThrough() }).input(question);
    setImmediate(() => input.write("\u0003"));
    await expect(answer).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
