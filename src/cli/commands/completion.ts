import type { Command } from "commander";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Run } from "../program.ts";

/** Scripts that know the commands and flags, and read environments from the site.yaml of the folder they are used in. */
export function completionCommand(root: Command): Run<{ readonly shell: string }> {
  return async (options) => {
    const first = ["help", "--help", ...flagsOf(root)];
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
  readonly flags: readonly string[];
  readonly takesEnvironment: boolean;
}

function commandTree(root: Command, path = ""): Words[] {
  return root.commands.flatMap((command) => {
    const own = path === "" ? command.name() : `${path} ${command.name()}`;
    const inner = commandTree(command, own);
    const flags = flagsOf(command);
    const takesEnvironment = command.registeredArguments.some((argument) => argument.name() === "env");
    return [{ path: own, summary: command.description(), flags, takesEnvironment }, ...inner];
  });
}

function flagsOf(command: Command): readonly string[] {
  return command.options.flatMap((option) => (option.long ? [option.long] : []));
}

/**
 * Environments are the keys under `environments:`; awk on the local file keeps it within a few milliseconds. Only what is a name and nothing
 * else: bash expands the words that it is given to choose from, and the folder may be one that somebody sent.
 */
const ENVIRONMENTS = `awk '/^environments:/{f=1;next} f&&/^[^ #]/{f=0} f&&/^  [a-z][a-z0-9]*: *(#.*)?$/{sub(/^  /,"");sub(/:.*/,"");print}' site.yaml 2>/dev/null`;

/** `before` is what may stand where a command is not named yet, besides the commands. */
function bash(words: readonly Words[], before: readonly string[]): string {
  const cases = words.map(({ path, flags, takesEnvironment }) => {
    const next = words.filter((other) => other.path.startsWith(`${path} `)).map((other) => other.path.slice(path.length + 1));
    return `    "${path}") words="${[...next, ...flags].join(" ")}"${takesEnvironment ? `; words="$words $(${ENVIRONMENTS})"` : ""} ;;`;
  });
  const first = words.filter(({ path }) => !path.includes(" ")).map(({ path }) => path);
  return `# bash completion for millwright: eval "$(millwright completion bash)"
_millwright() {
  local current=\${COMP_WORDS[COMP_CWORD]} path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      ${[...new Set(words.flatMap(({ path }) => path.split(" ")))].join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case $path in
    "") words="${[...first, ...before].join(" ")}" ;;
${cases.join("\n")}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _millwright millwright`;
}

function zsh(words: readonly Words[], before: readonly string[]): string {
  return `#compdef millwright
# zsh completion for millwright: eval "$(millwright completion zsh)"
autoload -U +X bashcompinit && bashcompinit
${bash(words, before)}`;
}

function fish(words: readonly Words[], before: readonly string[]): string {
  const lines = ["# fish completion for millwright: millwright completion fish | source", "complete -c millwright -f"];
  for (const word of before) {
    lines.push(`complete -c millwright -n "__fish_use_subcommand" ${word.startsWith("--") ? `-l ${word.slice(2)}` : `-a ${word}`}`);
  }
  for (const { path, summary, flags, takesEnvironment } of words) {
    const parts = path.split(" ");
    const last = parts.at(-1) ?? "";
    const condition = parts.length === 1 ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${parts[0]}`;
    lines.push(`complete -c millwright -n "${condition}" -a ${last} -d "${summary.replaceAll('"', "'")}"`);
    for (const flag of flags) lines.push(`complete -c millwright -n "__fish_seen_subcommand_from ${last}" -l ${flag.slice(2)}`);
    if (takesEnvironment) lines.push(`complete -c millwright -n "__fish_seen_subcommand_from ${last}" -a '(${ENVIRONMENTS.replaceAll("'", String.raw`\'`)})'`);
  }
  return lines.join("\n");
}
