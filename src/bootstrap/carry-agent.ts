import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines } from "../kernel/shell.ts";
import { type AdminConnection, AGENT_FOLDER, asRoot } from "./admin-connection.ts";
import { distributionOf } from "./known-systems.ts";
import { type Processor, processorOf } from "./node-runtime.ts";

export interface AgentFiles {
  /** The bundled agent. */
  readonly agent: string;
  readonly node: string;
}

export interface CarriedState {
  readonly processor: Processor;
  /** `debian 13`, `ubuntu 24.04`. */
  readonly distribution: string;
  /** SHA-256 of what lies in the version's folder on the host. */
  readonly sums: Readonly<Partial<Record<keyof AgentFiles, string>>>;
}

const NAMES = { agent: "agent.mjs", node: "node" } as const;

/** Looks at the host: its processor, its system, and the agent that it has of this version. */
export async function lookAtAgent(connection: AdminConnection, signal?: AbortSignal): Promise<CarriedState> {
  const script = `uname -m; cat /etc/os-release; cd ${AGENT_FOLDER} 2>/dev/null && sha256sum ${NAMES.agent} ${NAMES.node} 2>/dev/null; true`;
  const { code, stdout, stderr } = await asRoot(connection, ["sh", "-c", script], signal === undefined ? {} : { signal });
  const [machine = "", ...lines] = stdout.trim().split("\n");
  if (code !== 0) throw new MillwrightError("LINK_LOST", "The host did not answer a first question.", { details: lastLines(stderr, 5) });
  const processor = processorOf(machine);
  if (processor === undefined)
    throw new MillwrightError("HOST_UNSUPPORTED", `The host's processor is ${machine}; millwright's agent runs on x86_64 and aarch64.`, { subject: machine });
  const sum = (name: string): string | undefined => lines.find((line) => line.endsWith(`  ${name}`))?.split(" ")[0];
  const agent = sum(NAMES.agent);
  const node = sum(NAMES.node);
  return { processor, distribution: distributionOf(stdout), sums: { ...(agent === undefined ? {} : { agent }), ...(node === undefined ? {} : { node }) } };
}

export async function sumsOf(files: AgentFiles): Promise<Readonly<Record<keyof AgentFiles, string>>> {
  return { agent: await sumOf(files.agent), node: await sumOf(files.node) };
}

/** Brings agent and runtime into the version's folder: unpacked beside it, compared, tried, then renamed. */
export async function carryAgent(
  connection: AdminConnection,
  files: AgentFiles,
  sums: Readonly<Record<keyof AgentFiles, string>>,
  signal?: AbortSignal,
): Promise<void> {
  const { code, stderr } = await asRoot(connection, ["sh", "-c", unpackScript(sums)], {
    stdin: archiveOf(files),
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  throw new MillwrightError("BOOTSTRAP_FAILED", "The agent did not arrive whole, or its runtime does not start on the host.", {
    subject: AGENT_FOLDER,
    hint: "Run `millwright host bootstrap` again.",
    details: lastLines(stderr, 5),
  });
}

function unpackScript(sums: Readonly<Record<keyof AgentFiles, string>>): string {
  return `set -eu
umask 022
base=/opt/millwright
mkdir -p "$base"
find "$base" -maxdepth 1 -name '.incoming-*' -mmin +60 -exec rm -rf {} +
fresh=$(mktemp -d "$base/.incoming-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
tar -xzf - --no-same-owner -C "$fresh"
cd "$fresh"
printf '%s  %s\\n' ${sums.agent} ${NAMES.agent} ${sums.node} ${NAMES.node} | sha256sum -c --quiet -
chmod 755 . ${NAMES.node}
./${NAMES.node} --version >/dev/null
sync
cd "$base"
# A folder of this version with other files in it: each file is replaced whole, and programs that run keep theirs.
mv -T "$fresh" ${AGENT_FOLDER} 2>/dev/null || for name in ${NAMES.node} ${NAMES.agent}; do mv -fT "$fresh/$name" "${AGENT_FOLDER}/$name"; done
sync`;
}

function archiveOf(files: AgentFiles): Readable {
  const archive = pack();
  const out = new PassThrough();
  // A failure on either side ends the stream with the error: the receiver sees it, and tar on the host an archive cut short.
  pipeline(archive, createGzip({ level: 6 }), out).catch((error: Error) => out.destroy(error));
  void addFiles(archive, files).catch((error: Error) => archive.destroy(error));
  return out;
}

async function addFiles(archive: ReturnType<typeof pack>, files: AgentFiles): Promise<void> {
  for (const key of ["agent", "node"] as const) {
    const { size } = await stat(files[key]);
    const entry = archive.entry({ name: NAMES[key], size, mode: key === "node" ? 0o755 : 0o644, mtime: new Date(0) });
    await pipeline(createReadStream(files[key]), entry);
  }
  archive.finalize();
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
