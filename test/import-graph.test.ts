import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** What each room may import, beside itself and what those may import: docs/architecture.md, "Rooms". */
const LEVELS: readonly (readonly string[])[] = [
  ["kernel"],
  ["site"],
  ["blueprint", "docker", "release", "secrets"],
  ["deploy", "swap", "observe"],
  ["agent", "bootstrap", "remote"],
  ["cli", "wizard"],
];
/** Rooms beside each other that may import one another in this direction only. */
const SIDEWAYS: readonly string[] = ["blueprint>secrets", "agent>bootstrap", "cli>wizard", "wizard>secrets", "observe>swap", "bootstrap>agent", "remote>agent"];
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  ssh2: ["remote"],
  dockerode: ["docker"],
  inquirer: ["wizard"],
  commander: ["cli"],
  listr2: ["cli"],
  handlebars: ["blueprint"],
};

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
