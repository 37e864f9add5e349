import type { StackFacts } from "../blueprint/stack.ts";
import type { Docker } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { containerPsql } from "../swap/psql.ts";

/** How a standby does, as it sees itself. */
export interface Following {
  /** Whether the database gets the other's log as it is written; by the archive alone it is up to a minute behind. */
  readonly isStreaming: boolean;
  /** Age of the newest sign of life that came over; absent before the first. */
  readonly lagSeconds?: number;
  /** Of the log that is here, what is not in the tables yet. */
  readonly unreplayedBytes: number;
  /** Of when Odoo's files are, ISO 8601; absent before they were all laid down. */
  readonly filesAt?: string;
  /** Since when newer ones cannot be fetched. */
  readonly filesFailSince?: string;
}

/** The same, as the host sees it that is followed; absent numbers when nobody follows. */
export interface Followed {
  readonly isStreaming: boolean;
  readonly lagBytes?: number;
}

/** What is known of the other one of two hosts; what does not run is not told. */
export interface PairState {
  readonly following?: Following;
  readonly followed?: Followed;
}

const FOLLOWING = `SELECT coalesce((SELECT status = 'streaming' FROM pg_stat_wal_receiver), false),
  (SELECT round(extract(epoch FROM clock_timestamp() - at)) FROM millwright.heartbeat),
  coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0);`;
const FOLLOWED = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) FROM pg_stat_replication WHERE usename = 'replication' AND state = 'streaming';`;
const LIMIT_MILLISECONDS = 10_000;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m;

export async function readPair(docker: Docker, stack: string, { follows, standby }: Pick<StackFacts, "follows" | "standby">): Promise<PairState> {
  if (follows === undefined && standby === undefined) return {};
  const database = await findContainer(docker, stack, "database");
  if (database?.health !== "healthy") return {};
  const psql = containerPsql(docker, stack);
  if (follows === undefined) {
    const [row] = await psql.query("postgres", FOLLOWED);
    return { followed: row === undefined ? { isStreaming: false } : { isStreaming: true, lagBytes: Number(row[0]) } };
  }
  const [[streaming, lag = "", unreplayed] = []] = await psql.query("postgres", FOLLOWING);
  const [filesAt, filesFailSince] = [await tell(docker, stack, "follow.sh", "followed"), await tell(docker, stack, "files.sh", "trouble")];
  return {
    following: {
      isStreaming: streaming === "t",
      ...(lag === "" ? {} : { lagSeconds: Math.max(0, Number(lag)) }),
      unreplayedBytes: Math.max(0, Number(unreplayed)),
      ...(filesAt === undefined ? {} : { filesAt }),
      ...(filesFailSince === undefined ? {} : { filesFailSince }),
    },
  };
}

async function tell(docker: Docker, stack: string, script: string, word: string): Promise<string | undefined> {
  const backup = await findContainer(docker, stack, "backup");
  if (backup?.state !== "running") return undefined;
  const { output } = await docker.exec(backup.id, ["/bin/sh", `/opt/millwright/${script}`, word], { limitMilliseconds: LIMIT_MILLISECONDS });
  return INSTANT.exec(output)?.[0];
}
