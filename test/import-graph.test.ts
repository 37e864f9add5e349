import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** What each room may import, beside itself and what those may import: docs/architecture.md, "Rooms". */
const LEVELS: readonly (readonly string[])[] = [
  ["kernel"],
  ["site"],
  ["blueprint", "docker", "release", "secrets"],
  ["deploy", "swap", "recovery", "observe"],
  ["agent", "bootstrap", "remote"],
  ["cli", "wizard"],
];
/** Rooms beside each other that may import one another in this direction only. */
const SIDEWAYS: readonly string[] = [
  "blueprint>secrets",
  "blueprint>release",
  "agent>bootstrap",
  "cli>wizard",
  "wizard>secrets",
  "observe>swap",
  "observe>recovery",
  "recovery>swap",
  "bootstrap>agent",
  "remote>agent",
];
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  ssh2: ["remote"],
  dockerode: ["docker"],
  inquirer: ["wizard"],
  commander: ["cli"],
  listr2: ["cli"],
  handlebars: ["blueprint"],
  "handlebars/runtime.js": ["blueprint"],
};

/** Needed on a terminal, at a question, with an engine of this machine: imported when it comes to that, for each takes a start tens of milliseconds. */
const LATE: readonly string[] = ["listr2", "inquirer", "dockerode"];
/** Commands that open no connection. */
const WITHOUT_SSH: readonly string[] = ["check.ts", "completion.ts", "new.ts", "release-list.ts", "render.ts"];

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

async function imports(): Promise<Import[]> {
  const files = (await readdir("src", { recursive: true })).filter((file) => file.endsWith(".ts"));
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join("src", file), "utf8");
      const targets = [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
      return targets.map((target) => ({ file, room: file.split("/")[0] ?? "", target }));
    }),
  );
  return found.flat();
}

function roomOf(entry: Import): string {
  return join("src", entry.file, "..", entry.target).split("/")[1] ?? "";
}

/** Everything that comes with a module before it runs: its static imports and theirs, files by path, packages by name. */
async function loadedWith(file: string, loaded = new Set<string>()): Promise<ReadonlySet<string>> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const text = await readFile(file, "utf8");
  for (const [, target = ""] of text.matchAll(/^import (?!type )[^;]*?"([^"]+)";/gm)) {
    if (target.startsWith(".")) await loadedWith(join(file, "..", target), loaded);
    else loaded.add(target);
  }
  return loaded;
}

const level = (room: string): number => LEVELS.findIndex((rooms) => rooms.includes(room));

describe("the rooms of src", () => {
  it("import only rooms below them", async () => {
    const wrong = (await imports())
      .filter((entry) => entry.target.startsWith("."))
      .filter((entry) => {
        const target = roomOf(entry);
        if (target === entry.room || SIDEWAYS.includes(`${entry.room}>${target}`)) return false;
        return level(target) >= level(entry.room);
      });
    expect(wrong.map((entry) => `${entry.file} → ${entry.target}`)).toEqual([]);
  });

  it("keep each third-party interface in one room", async () => {
    const wrong = (await imports()).filter((entry) => {
      const rooms = PACKAGES[entry.target];
      return rooms !== undefined && !rooms.includes(entry.room);
    });
    expect(wrong.map((entry) => `${entry.file} → ${entry.target}`)).toEqual([]);
  });

  it("let a command load only what every run of it needs", async () => {
    const commands = await readdir("src/cli/commands");
    const loaded = await Promise.all(commands.map(async (file) => [file, await loadedWith(join("src/cli/commands", file))] as const));
    const wrong = loaded.flatMap(([file, names]) => {
      const late = WITHOUT_SSH.includes(file) ? [...LATE, "ssh2"] : LATE;
      return late.filter((name) => names.has(name)).map((name) => `${file} → ${name}`);
    });
    expect(wrong).toEqual([]);
    // Or the walk itself sees nothing.
    expect(loaded.find(([file]) => file === "plan.ts")?.[1]).toContain("ssh2");
  });

  it("import zod as a namespace: of its ready-made `z` a bundle can leave out nothing", async () => {
    const files = (await readdir("src", { recursive: true })).filter((file) => file.endsWith(".ts"));
    const texts = await Promise.all(files.map(async (file) => [file, await readFile(join("src", file), "utf8")] as const));
    expect(texts.filter(([, text]) => /\{ z \} from "zod"/.test(text)).map(([file]) => file)).toEqual([]);
  });

  it("use process and print only in the command line and the agent's entry", async () => {
    const files = (await readdir("src", { recursive: true })).filter((file) => file.endsWith(".ts"));
    const allowed = (file: string): boolean =>
      file.startsWith("cli/") || file === "agent/main.ts" || file === "site/write-schema.ts" || file === "wizard/inquirer-ask.ts";
    const wrong: string[] = [];
    for (const file of files.filter((name) => !allowed(name))) {
      const text = await readFile(join("src", file), "utf8");
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      if (/\bprocess\.(argv|env|exit|stdout|stderr|stdin|cwd)\b|\bconsole\./.test(code)) wrong.push(file);
    }
    expect(wrong).toEqual([]);
  });
});
