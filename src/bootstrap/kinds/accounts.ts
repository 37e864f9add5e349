import type { Difference, ResourceOf } from "../resource.ts";
import type { System } from "../system.ts";
import type { Kind } from "./kind.ts";
import { mustRun } from "./must-run.ts";

export const groupKind: Kind<ResourceOf<"group">> = {
  observe: async ({ name }, system) => ((await entry(system, "group", name)) === undefined ? [{ title: `make the group ${name}` }] : []),
  apply: async ({ name }, system) => {
    await mustRun(system, ["groupadd", "--system", name]);
  },
};

/** An account that nobody can log in to with a password. */
export const accountKind: Kind<ResourceOf<"account">> = {
  observe: async ({ name, home, shell }, system) => {
    const found = await entry(system, "passwd", name);
    if (found === undefined) return [{ title: `make the account ${name}` }];
    const locked = /^[!*]/.test((await entry(system, "shadow", name))?.[1] ?? "");
    return [
      ...(locked ? [] : [{ title: `lock the password of ${name}` }]),
      ...(found[6] === shell ? [] : [{ title: `give ${name} the shell ${shell}, no longer ${found[6]}` }]),
      ...(found[5] === home ? [] : [{ title: `give ${name} the home ${home}, no longer ${found[5]}` }]),
    ];
  },
  apply: async ({ name, home, shell }, system) => {
    // `*` matches no password; `!` would count as a locked account, which sshd without PAM refuses for keys too.
    const wanted = ["--shell", shell, "--password", "*"];
    if ((await entry(system, "passwd", name)) === undefined) {
      await mustRun(system, ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", home, ...wanted, name]);
    } else {
      await mustRun(system, ["usermod", "--home", home, ...wanted, name]);
    }
  },
};

export const membershipKind: Kind<ResourceOf<"membership">> = {
  observe: async ({ account, groups, only }, system): Promise<readonly Difference[]> => {
    const { stdout, code } = await system.shell.run(["id", "-Gn", account]);
    const now = code === 0 ? stdout.trim().split(/\s+/) : [account];
    const lacking = groups.filter((name) => !now.includes(name));
    const surplus = only ? now.filter((name) => name !== account && !groups.includes(name)) : [];
    return [
      ...lacking.map((name) => ({ title: `put ${account} into the group ${name}` })),
      ...surplus.map((name) => ({ title: `take ${account} out of the group ${name}` })),
    ];
  },
  apply: async ({ account, groups, only }, system) => {
    await mustRun(system, ["usermod", ...(only ? [] : ["--append"]), "--groups", groups.join(","), account]);
  },
};

export const rightsKind: Kind<ResourceOf<"rights">> = {
  observe: async ({ account, commands }, system) => {
    const { stdout } = await system.shell.run(["sudo", "-n", "-l", "-U", account]);
    const granted = stdout
      .split("\n")
      .filter((line) => /^ +\(/.test(line))
      .map((line) => line.trim().replaceAll("\\", ""));
    const wanted = commands.map((command) => `(root) NOPASSWD: ${command}`);
    return [
      ...wanted.filter((line) => !granted.includes(line)).map((line) => ({ title: `sudo does not grant ${account}: ${line}` })),
      ...granted.filter((line) => !wanted.includes(line)).map((line) => ({ title: `sudo grants ${account} more than the agent: ${line}`, foreign: true })),
    ];
  },
  apply: async () => {},
};

async function entry(system: System, database: string, name: string): Promise<readonly string[] | undefined> {
  const { code, stdout } = await system.shell.run(["getent", database, name]);
  return code === 0 ? stdout.trim().split(":") : undefined;
}
