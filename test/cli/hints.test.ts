import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { CliContext } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";
import { buildProgram } from "../../src/cli/program.ts";

const silent = { write: (): void => {} };
const output = new Output({ mode: "text", streams: { stdout: silent, stderr: silent }, colour: false, live: false, debug: false });
const { root } = buildProgram({ output } as unknown as CliContext, () => {});

/** Literals of a source file, as they would be printed: comments are passed over. */
function literals(source: string): readonly string[] {
  const tokens = source.match(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? [];
  return tokens.filter((token) => !token.startsWith("/")).map((token) => token.slice(1, -1).replaceAll("\\`", "`"));
}

/** The commands a text tells its reader to type: in backticks, after "Next:", or as the whole of a hint. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?:`|^|Next: |then |\n)millwright ([a-z][^`\n]*)/g)].map((match) => match[1] ?? "");
}

/** What is wrong with a command line; undefined when the program knows its words and flags. */
function problemOf(line: string): string | undefined {
  const words = line.split(/[\s,.:;]+/).filter((word) => word !== "");
  let command: Command = root;
  for (const word of words) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next !== undefined) command = next;
    else if (command.commands.length > 0) return `there is no \`millwright ${line}\``;
    else break;
  }
  const known = new Set(command.options.map(({ long }) => long));
  const flag = words.find((word) => /^--[a-z-]+$/.test(word) && !known.has(word));
  return flag === undefined ? undefined : `\`millwright ${line}\` has no ${flag}`;
}

async function sources(folder: string, ending: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return await Promise.all(names.filter((name) => name.endsWith(ending)).map(async (name) => await readFile(join(folder, name), "utf8")));
}

/** Literals that begin with the tool's name and are no command. */
const NO_COMMAND = /^(?:agent \$|scram salt|site\.yaml$)/;

describe("the commands that people are told to type", () => {
  it("exist, in every message and hint", async () => {
    const lines = (await sources("src", ".ts")).flatMap(literals).flatMap(commandsIn);
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.filter((line) => !NO_COMMAND.test(line)).flatMap((line) => problemOf(line) ?? [])).toEqual([]);
  });

  it("exist, in the documentation", async () => {
    const texts = [...(await sources("docs", ".md")), await readFile("README.md", "utf8"), await readFile("blueprints/odoo/README.md", "utf8")];
    const typed = texts.flatMap((text) => [...(text.match(/```[\s\S]*?```/g) ?? []), ...(text.match(/`millwright [^`\n]+`/g) ?? [])]);
    expect(typed.flatMap(commandsIn).flatMap((line) => problemOf(line) ?? [])).toEqual([]);
  });
});
