import { dirname } from "node:path";
import { MillwrightError } from "../../kernel/errors.ts";
import { lastLines } from "../../kernel/shell.ts";
import { lineDiff } from "../line-diff.ts";
import type { Difference, ResourceOf } from "../resource.ts";
import type { FileEntry, System } from "../system.ts";
import type { Kind } from "./kind.ts";

export const fileKind: Kind<ResourceOf<"file">> = {
  observe: async ({ path, content, mode }, { files }) => {
    const entry = await files.look(path);
    if (entry === undefined) return [{ title: `write ${path}`, diff: lineDiff("", content) }];
    if (entry.kind !== "file") return [{ title: `replace the ${entry.kind} ${path} by a file`, diff: lineDiff("", content) }];
    const before = (await files.read(path)) ?? "";
    return before === content ? mended(path, mode, entry) : [{ title: `change ${path}`, diff: lineDiff(before, content) }];
  },
  apply: async ({ path, content, mode, validate }, system) => {
    const entry = await system.files.look(path);
    if (entry?.kind === "directory") throw inTheWay(path, "a folder");
    if ((await system.files.look(dirname(path))) === undefined) await system.files.makeDirectory(dirname(path), 0o755);
    if (validate !== undefined) await judge(path, content, validate, system);
    await system.files.write(path, content, mode);
  },
};

export const directoryKind: Kind<ResourceOf<"directory">> = {
  observe: async ({ path, mode }, { files }) => {
    const entry = await files.look(path);
    if (entry === undefined) return [{ title: `make the folder ${path}` }];
    return entry.kind === "directory" ? mended(path, mode, entry) : [{ title: `make the folder ${path}, where a ${entry.kind} is` }];
  },
  apply: async ({ path, mode }, { files }) => {
    const entry = await files.look(path);
    if (entry !== undefined && entry.kind !== "directory") throw inTheWay(path, `a ${entry.kind}`);
    await files.makeDirectory(path, mode);
  },
};

export const symlinkKind: Kind<ResourceOf<"symlink">> = {
  observe: async ({ path, target }, { files }) => {
    const entry = await files.look(path);
    if (entry?.target === target) return [];
    return [{ title: entry?.target === undefined ? `link ${path} → ${target}` : `link ${path} → ${target}, no longer ${entry.target}` }];
  },
  apply: async ({ path, target }, { files }) => {
    const entry = await files.look(path);
    if (entry !== undefined && entry.kind !== "symlink") throw inTheWay(path, `a ${entry.kind}`);
    await files.link(path, target);
  },
};

function mended(path: string, mode: number, entry: FileEntry): readonly Difference[] {
  if (entry.mode !== mode) return [{ title: `set the mode of ${path} to ${octal(mode)}, no longer ${octal(entry.mode)}` }];
  return entry.uid === 0 && entry.gid === 0 ? [] : [{ title: `give ${path} to root, no longer ${entry.uid}:${entry.gid}` }];
}

async function judge(path: string, content: string, validate: readonly string[], system: System): Promise<void> {
  const draft = `/run/millwright-draft-${path.slice(path.lastIndexOf("/") + 1)}`;
  await system.files.write(draft, content, 0o600);
  try {
    const result = await system.shell.run(validate.map((word) => (word === "{}" ? draft : word)));
    if (result.code === 0 || result.code === 127) return;
    throw new MillwrightError("BOOTSTRAP_FAILED", `${validate[0]} refuses the new ${path}; the old one stays.`, {
      subject: path,
      details: lastLines(`${result.stdout}\n${result.stderr}`, 15),
    });
  } finally {
    await system.files.remove(draft);
  }
}

function inTheWay(path: string, what: string): MillwrightError {
  return new MillwrightError("BOOTSTRAP_FAILED", `${path} is ${what}, which bootstrap does not remove.`, {
    subject: path,
    hint: "Look at it, move it away, and run bootstrap again.",
  });
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
