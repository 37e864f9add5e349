import * as z from "zod";
import { accountName, bucketName, certificateFile, folderPath, hostKey, serverName } from "./site-values.ts";

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;

/** Sunday is 0, as in cron. */
export function weekdayNumber(day: (typeof WEEKDAYS)[number]): number {
  return WEEKDAYS.indexOf(day);
}

const keep = z.int().min(1).max(3650).default(35).describe("Days that the backups there reach back.");

const OFFSITE_KIND = "`none`, `s3` or `sftp`; required where `backup.offsite` is stated.";

const offsite = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("none").describe(OFFSITE_KIND) }),
    z.strictObject({
      kind: z.literal("s3").describe(OFFSITE_KIND),
      endpoint: serverName.describe("Server of the S3 service, such as s3.eu-central-1.amazonaws.com or nas.plant.lan:9000; always by TLS."),
      bucket: bucketName.describe(
        "Bucket that is there already, best with versions and an object lock. Its key is the secrets backup_s3_key and backup_s3_secret.",
      ),
      region: z
        .string()
        .max(40)
        .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be a region such as eu-central-1")
        .default("us-east-1")
        .describe("Region of the bucket; most other services than AWS take the default."),
      path: folderPath.default("/").describe("Of s3: folder in the bucket, of this environment alone."),
      ca: certificateFile.describe(
        "PEM file of the authorities that may have signed the server's certificate: the plant's own, or for a public service a copy of a system's /etc/ssl/certs/ca-certificates.crt.",
      ),
      keep,
    }),
    z.strictObject({
      kind: z.literal("sftp").describe(OFFSITE_KIND),
      server: serverName.describe("Host that takes the backups over SFTP, such as nas.plant.lan or nas.plant.lan:2222."),
      user: accountName.describe("Account there. It logs in with the secret backup_sftp_key, and whoever has that can delete the backups."),
      path: folderPath.describe("Of sftp: folder on that host, which the account may write to, of this environment alone."),
      hostKeys: z
        .array(hostKey)
        .min(1)
        .describe(
          "All keys that the host shows (`ssh-keyscan`, compared with the host itself), each without its name: ssh-ed25519 AAAA…; nothing else is trusted.",
        ),
      keep,
    }),
  ])
  .describe("A second place for all backups, out of the host's reach: s3, sftp, or none (default). An environment states it whole.");

/** The keys of `backup`, which the file may state in part. */
export const backup = {
  at: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "02:30"')
    .describe('Time of the daily backup, UTC, in quotes: "02:30".'),
  full: z.enum(WEEKDAYS).describe("Day of the full backup; those of the other days hold what has changed since."),
  drill: z
    .enum([...WEEKDAYS, "never"])
    .describe("Day whose backup is restored to a scratch place on the host, where database, files and a login prove it; never: only when you run it."),
  keep: z.int().min(1).max(365).describe("Days that backups on the host reach back."),
  offsite: offsite.optional(),
};
