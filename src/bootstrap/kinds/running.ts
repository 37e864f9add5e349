import type { ResourceOf } from "../resource.ts";
import type { Kind } from "./kind.ts";
import { mustRun } from "./must-run.ts";

export const unitKind: Kind<ResourceOf<"unit">> = {
  observe: async ({ unit, active }, system) => {
    const { stdout } = await system.shell.run(["systemctl", "show", "-p", "UnitFileState,ActiveState,ConditionResult,ConditionTimestamp", unit]);
    const shown = Object.fromEntries(stdout.split("\n").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]));
    const enabled = shown["UnitFileState"] === "enabled";
    // A condition of its own that does not hold (chrony in a container has no clock to set) is not for us to overrule.
    const declined = shown["ConditionResult"] === "no" && shown["ConditionTimestamp"] !== "";
    return [
      ...(enabled ? [] : [{ title: `enable ${unit}` }]),
      ...(!active || declined || shown["ActiveState"] === "active" ? [] : [{ title: `start ${unit}` }]),
    ];
  },
  apply: async ({ unit, active }, system) => {
    await mustRun(system, ["systemctl", "unmask", unit]);
    await mustRun(system, ["systemctl", "enable", unit]);
    if (!active) return;
    await mustRun(system, ["systemctl", "reset-failed", unit]);
    await mustRun(system, ["systemctl", "start", unit]);
  },
};

export const liveKind: Kind<ResourceOf<"live">> = {
  observe: async ({ title, look, lines = [], texts = [], apply }, system) => {
    const result = await system.shell.run(look);
    const printed = new Set(result.stdout.split("\n").map((line) => line.trim()));
    const lacking = [...lines.filter((line) => !printed.has(line)), ...texts.filter((text) => !result.stdout.includes(text))];
    return lacking.length === 0 ? [] : [{ title: apply === undefined ? `not so: ${title}` : title, diff: lacking.map((text) => `+ ${text}`) }];
  },
  apply: async ({ apply }, system) => {
    if (apply !== undefined) await mustRun(system, apply);
  },
};

export const PENDING = "/var/lib/millwright/pending";

/** An action is due while its mark lies in the pending folder: the mark is made before the change that needs the action. */
export const actionKind: Kind<ResourceOf<"action">> = {
  observe: async ({ name, title }, { files }) => ((await files.look(`${PENDING}/${name}`)) === undefined ? [] : [{ title }]),
  apply: async ({ name, words }, system) => {
    for (const command of words) await mustRun(system, command);
    await system.files.remove(`${PENDING}/${name}`);
  },
};
