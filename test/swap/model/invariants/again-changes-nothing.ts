import { operate } from "../operators.ts";
import { lasting, type Rest } from "../rest.ts";

/** Recovering once more changes nothing, whoever asks for it: systemd, a reboot's way of starting the unit, or a person. */
export async function againChangesNothing({ machine }: Rest): Promise<readonly string[]> {
  const before = lasting(machine);
  machine.onEffect = () => undefined;
  machine.unit.start();
  await machine.drive();
  const codes: unknown[] = [];
  for (const what of ["resume", "abort"] as const) {
    operate(machine, "somebody", { do: what }, ({ error }) => codes.push(error?.code));
    await machine.drive();
  }
  const wrong = codes.filter((code) => code !== "NO_RUN").map((code) => `with nothing under way, somebody was told ${String(code)} instead of NO_RUN`);
  const after = lasting(machine);
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(key) !== after.get(key)) wrong.push(`recovering again changed ${key}: ${before.get(key) ?? "absent"} → ${after.get(key) ?? "absent"}`);
  }
  return wrong;
}
