import { ensureLab, stopLab } from "../lab/lab.ts";

/** The lab is built (from its cache, when it has one) before the first live test, and nothing of it runs after the last. */
export async function setup(): Promise<void> {
  await ensureLab();
}

export async function teardown(): Promise<void> {
  await stopLab();
}
