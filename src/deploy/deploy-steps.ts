import { chown, chmod } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { DATABASE_SERVICE } from "./plan-deploy.ts";
import type { ContainerState, PullOptions } from "../docker/docker.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Events } from "../kernel/events.ts";
import type { Step } from "../kernel/plan.ts";
import type { RunView, StepTable } from "../kernel/run-plan.ts";
import type { DeployContext } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { deriveStep, removeUnusedDerived } from "./derived-images.ts";
import { recordPutBack, recordStep } from "./record-step.ts";
import { directoryPath } from "./observe-platform.ts";
import { bringBack, keepPresent, removeService, restoreCompose } from "./previous-platform.ts";
import { giveCertificate, proveCertificate } from "./give-certificate.ts";
import { giveSettings } from "./reload-settings.ts";
import { provisionStack } from "./provision-stack.ts";
import { leadAway, leadBack, standIn } from "./stand-in.ts";
import { readStack, removeOldStacks } from "./stack-store.ts";
import { waitForHealth } from "../docker/wait-for-health.ts";
import { makeDirectory, writeDurable } from "../kernel/durable-file.ts";
import { removeUnusedFiles, writeFiles } from "./write-files.ts";

const upParams = z.object({ service: z.string(), container: z.string(), before: z.string(), isForced: z.boolean() });
const serviceParams = z.object({ service: z.string() });
const pullParams = z.object({ reference: z.string() });

/** The code of a deploy's steps. Each may be done and undone any number of times. */
export const deployTable: StepTable<DeployContext> = {
  keep: {
    do: ({ deps }) => keepPresent(deps.paths),
    // Undone last: the previous services stand again, but in new containers, which the next deploy must not take for the work of hands.
    undo: ({ deps }) => recordPutBack(deps),
  },
  pull: {
    async do(context, step, run) {
      const { reference } = pullParams.parse(step.params);
      const { docker, clock } = context.deps;
      if ((await docker.image(reference)) !== undefined) return { summary: "there already" };
      let told = 0;
      const onProgress: PullOptions["onProgress"] = (_text, bytes) => {
        if (bytes === undefined || clock.now() - told < 500) return;
        told = clock.now();
        context.events.emit({ kind: "progress", at: timestamp(clock), id: step.id, done: bytes.done, total: bytes.total, unit: "bytes" });
      };
      await docker.pull(reference, { onProgress, signal: run.signal });
      const image = await docker.image(reference);
      return image === undefined ? {} : { summary: `${Math.round(image.sizeBytes / 1e6)} MB` };
    },
  },
  derive: deriveStep,
  directories: {
    async do({ deps, stack }) {
      for (const { path, uid, gid, mode } of stack.facts.directories) {
        const full = directoryPath(deps.paths, path);
        await makeDirectory(full, 0o755);
        await chown(full, uid, gid);
        await chmod(full, Number.parseInt(mode, 8));
      }
    },
  },
  files: {
    async do({ deps, desired }) {
      await writeFiles(deps.paths, desired.files);
      await makeDirectory(deps.paths.platform, 0o750);
      await writeDurable(join(deps.paths.platform, "compose.yaml"), desired.compose, { mode: 0o640 });
      await deps.compose.validate(deps.paths.platform);
    },
    undo: ({ deps }) => restoreCompose(deps.paths),
  },
  certificate: giveCertificate,
  "certificate-served": proveCertificate,
  settings: giveSettings,
  routes: {
    do: ({ deps, stack }) => deps.writeRoutes(stack),
    async undo({ deps, previous }) {
      if (previous !== undefined) await deps.writeRoutes(await readStack(deps.paths, previous));
    },
  },
  seed: {
    async do({ deps, stack }, _step, { signal }) {
      const made = await deps.seedStandby(stack, signal, () => removeService(deps, DATABASE_SERVICE));
      await deps.unfence();
      return made;
    },
  },
  up: {
    async do(context, step, run) {
      const { service, container, isForced } = upParams.parse(step.params);
      const { compose, paths, clock } = context.deps;
      const project = context.deps.stack;
      // Only the container that the plan saw: after a cut the new one may stand already.
      if (isForced) await removeService(context.deps, service, container);
      const begun = clock.now();
      await compose.up(project, paths.platform, [service]);
      const state = await awaitHealth(context, step, service, run.signal);
      return { container: state.id, summary: `healthy after ${((clock.now() - begun) / 1000).toFixed(1)} s` };
    },
    async undo(context, step, run) {
      const { service, before } = upParams.parse(step.params);
      await bringBack(context.deps, service);
      if (before === "healthy" || before === "starting") await awaitHealth(context, step, service, run.signal);
    },
  },
  hold: {
    do: ({ deps, stack, events }, _step, { signal }) => deps.holdUsers(stack, events, signal),
    undo: ({ deps, stack, events }) => deps.letUsersIn(stack, events),
  },
  "let-in": {
    do: ({ deps, stack, events }) => deps.letUsersIn(stack, events),
    // A later step failed, and the services are about to be made what they were.
    undo: ({ deps, stack, events }, _step, { signal }) => deps.holdUsers(stack, events, signal),
  },
  provision: {
    async do({ deps, stack, secrets, events }) {
      await provisionStack(deps, stack, secrets);
      const problem = await deps.prepareArchive();
      if (problem !== undefined) events.emit({ kind: "note", at: timestamp(deps.clock), level: "warning", text: problem });
      const { offsite } = stack.facts.backup;
      if (offsite !== undefined) await prepareOffsite(deps, offsite.place, events);
    },
    async undo({ deps, previous }) {
      if (previous !== undefined) await provisionStack(deps, await readStack(deps.paths, previous));
    },
  },
  remove: {
    do: (context, step) => removeService(context.deps, serviceParams.parse(step.params).service),
    undo: (context, step) => bringBack(context.deps, serviceParams.parse(step.params).service),
  },
  "stand-in": standIn,
  "lead-away": leadAway,
  "lead-back": leadBack,
  record: recordStep,
  tidy: {
    async do({ deps, stack, previous }) {
      await removeOldStacks(deps.paths, [stack.id, ...(previous === undefined ? [] : [previous])]);
      const removed = (await removeUnusedFiles(deps.paths)) + (await removeUnusedDerived(deps));
      return { summary: removed === 0 ? "nothing to remove" : `${removed} removed` };
    },
  },
};

/** A server out of reach is no reason to take a deploy back: the next backup makes it ready. */
async function prepareOffsite({ prepareOffsite: prepare, clock }: DeployDeps, place: string, events: Events): Promise<void> {
  try {
    await prepare(place);
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    const text = `The offsite repository is not ready, so the database keeps its log until it is (the next backup tries again): ${error.message}`;
    events.emit({ kind: "note", at: timestamp(clock), level: "warning", text });
  }
}

async function awaitHealth(context: DeployContext, step: Step, service: string, signal: RunView["signal"]): Promise<ContainerState> {
  const { docker, clock, stack } = context.deps;
  const limitSeconds = context.desired.services[service]?.healthSeconds ?? 120;
  return await waitForHealth({
    docker,
    clock,
    project: stack,
    service,
    limitSeconds,
    signal,
    onSecond: (seconds) => context.events.emit({ kind: "progress", at: timestamp(clock), id: step.id, done: seconds, total: limitSeconds, unit: "seconds" }),
  });
}
