import type { Command } from "commander";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Run } from "../program.ts";

/** Scripts that know the commands, their flags and what those take, and read environments and releases from the folder they are used in. */
export function completionCommand(root: Command): Run<{ readonly shell: string }> {
  return async (options) => {
    const first = [{ long: "--help", value: undefined }, ...flagsOf(root)];
    const words = commandTree(root);
    switch (options.shell) {
      case "bash":
        return { data: { script: bash(words, first) }, text: bash(words, first) };
      case "zsh":
        return { data: { script: zsh(words, first) }, text: zsh(words, first) };
      case "fish":
        return { data: { script: fish(words, first) }, text: fish(words, first) };
      default:
        throw new MillwrightError("USAGE", `No completion for the shell "${options.shell}".`, { hint: "millwright completion bash|zsh|fish" });
    }
  };
}

interface Words {
  /** Command path, such as "host bootstrap", with its flags. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** What it takes beside flags. */
  readonly takes: readonly Kind[];
}

interface Flag {
  readonly long: string;
  /** What its value may be: some names, or a kind whose names the folder tells. Neither: something else, such as a file. Undefined for one without. */
  readonly value: { readonly names?: readonly string[]; readonly kind?: Kind } | undefined;
}

type Kind = "environments" | "releases";
/** What the site folder tells the names of, by how commands call it. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["env", "environments"],
  ["release", "releases"],
  ["id", "releases"],
]);

function commandTree(root: Command, path = ""): Words[] {
  return root.commands.flatMap((command) => {
    const own = path === "" ? command.name() : `${path} ${command.name()}`;
    const inner = commandTree(command, own);
    const flags = flagsOf(command);
    const takes = command.registeredArguments.flatMap((argument) => KINDS.get(argument.name()) ?? []);
    return [{ path: own, summary: command.description(), flags, takes }, ...inner];
  });
}

function flagsOf(command: Command): readonly Flag[] {
  return command.options.flatMap(({ long, flags, required, argChoices }) => {
    if (!long) return [];
    const kind = KINDS.get(/<([a-z]+)>/.exec(flags)?.[1] ?? "");
    const value = { ...(argChoices === undefined ? {} : { names: argChoices }), ...(kind === undefined ? {} : { kind }) };
    return [{ long, value: required ? value : undefined }];
  });
}

/**
 * Environments are the keys under `environments:`; awk on the local file keeps it within a few milliseconds. Only what is a name and nothing
 * else: bash expands the words that it is given to choose from, and the folder may be one that somebody sent.
 */
const ENVIRONMENTS = `awk '/^environments:/{f=1;next} f&&/^[^ #]/{f=0} f&&/^  [a-z][a-z0-9]*: *(#.*)?$/{sub(/^  /,"");sub(/:.*/,"");print}' site.yaml 2>/dev/null`;
const RELEASES = `ls releases 2>/dev/null | sed -n 's/^\\([0-9a-z][0-9a-z.-]*\\)\\.yaml$/\\1/p'`;
/** Commands of a shell that print the names, a line each. */
const NAMES: Readonly<Record<Kind, string>> = { environments: ENVIRONMENTS, releases: RELEASES };

/** `before` is what may stand where a command is not named yet, besides the commands. */
function bash(words: readonly Words[], before: readonly Flag[]): string {
  const cases = words.map(({ path, flags, takes }) => {
    const next = words.filter((other) => other.path.startsWith(`${path} `)).map((other) => other.path.slice(path.length + 1));
    const names = takes.map((kind) => ` $(${NAMES[kind]})`).join("");
    return `    "${path}") words="${[...next, ...flags.map(({ long }) => long)].join(" ")}${names}" ;;`;
  });
  const first = words.filter(({ path }) => !path.includes(" ")).map(({ path }) => path);
  return `# bash completion for millwright: eval "$(millwright completion bash)"
_millwright() {
  local current=\${COMP_WORDS[COMP_CWORD]} path="" word words
  case \${COMP_WORDS[COMP_CWORD-1]} in
${valueCases([...before, ...words.flatMap(({ flags }) => flags)]).join("\n")}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      ${[...new Set(words.flatMap(({ path }) => path.split(" ")))].join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case $path in
    "") words="${[...first, ...before.map(({ long }) => long)].join(" ")} help" ;;
${cases.join("\n")}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _millwright millwright`;
}

/** After a flag that takes a value only that may stand; where nothing is proposed, the shell proposes files. */
function valueCases(flags: readonly Flag[]): readonly string[] {
  const values = new Map(flags.flatMap(({ long, value }) => (value === undefined ? [] : [[long, value] as const])));
  return [...values].map(([long, { names = [], kind }]) => {
    const some = [...names, ...(kind === undefined ? [] : [`$(${NAMES[kind]})`])].join(" ");
    return `    ${long}) COMPREPLY=(${some === "" ? "" : `$(compgen -W "${some}" -- "$current")`}); return ;;`;
  });
}

function zsh(words: readonly Words[], before: readonly Flag[]): string {
  return `#compdef millwright
# zsh completion for millwright: eval "$(millwright completion zsh)"
autoload -U +X bashcompinit && bashcompinit
${bash(words, before)}`;
}

function fish(words: readonly Words[], before: readonly Flag[]): string {
  const lines = ["# fish completion for millwright: millwright completion fish | source", "complete -c millwright -f"];
  const runs = (kind: Kind): string => `(${NAMES[kind].replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)})`;
  const flag = (when: string, { long, value }: Flag): void => {
    const some = value === undefined ? "" : [...(value.names ?? []), ...(value.kind === undefined ? [] : [runs(value.kind)])].join(" ");
    const takes = value === undefined ? "" : some === "" ? " -r -F" : ` -x -a '${some}'`;
    lines.push(`complete -c millwright -n "${when}" -l ${long.slice(2)}${takes}`);
  };
  lines.push(`complete -c millwright -n "__fish_use_subcommand" -a help`);
  for (const one of before) flag("__fish_use_subcommand", one);
  for (const { path, summary, flags, takes } of words) {
    const parts = path.split(" ");
    const last = parts.at(-1) ?? "";
    const condition = parts.length === 1 ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${parts[0]}`;
    lines.push(`complete -c millwright -n "${condition}" -a ${last} -d "${summary.replaceAll('"', "'")}"`);
    for (const one of flags) flag(`__fish_seen_subcommand_from ${last}`, one);
    for (const kind of takes) lines.push(`complete -c millwright -n "__fish_seen_subcommand_from ${last}" -a '${runs(kind)}'`);
  }
  return lines.join("\n");
}
