import type { StepTable } from "../kernel/run-plan.ts";
import type { RecoveryRun } from "./recovery-context.ts";
import { backUpDatabase, countBefore, findHoles, forget, record, seeArchive, snapshotFiles, snapshotHost } from "./steps/backup.ts";
import { login, recordDrill } from "./steps/drill.ts";
import { backUpDatabaseOffsite, forgetOffsite, recordOffsite, snapshotFilesOffsite, snapshotHostOffsite } from "./steps/offsite.ts";
import { handFiles, handLog, lastSign, leadUsers, liftFence, markFenced, startDatabase, startOdoo, stopDatabase, stopOdoo } from "./steps/fence.ts";
import { look } from "./steps/look.ts";
import {
  archiveNow,
  archiveOn,
  away,
  clearAfterRestore,
  close,
  exchangeFolders,
  fullBackup,
  leadUsersBack,
  recordKnown,
  releaseImage,
  start,
  startCron,
  stop,
} from "./steps/restore.ts";
import { mark, recordPoint } from "./steps/point.ts";
import { checkDatabase, checkFiles, clear, clearUp, openDatabase, restoreDatabase, restoreFiles } from "./steps/scratch.ts";
import { catchUp, checkpoint, newestFiles, opened, promote } from "./steps/takeover.ts";
import { recordVerify, verifyDatabase, verifyFiles } from "./steps/verify.ts";

/** The code of every step of a backup, a verification, a drill and a restore, by its kind. */
export const RECOVERY_STEPS: StepTable<RecoveryRun> = {
  archive: seeArchive,
  count: countBefore,
  database: backUpDatabase,
  files: snapshotFiles,
  host: snapshotHost,
  "database:offsite": backUpDatabaseOffsite,
  "files:offsite": snapshotFilesOffsite,
  "host:offsite": snapshotHostOffsite,
  "record:offsite": recordOffsite,
  "forget:offsite": forgetOffsite,
  gaps: findHoles,
  record,
  forget,
  mark,
  "record-point": recordPoint,
  "verify-database": verifyDatabase,
  "verify-files": verifyFiles,
  "record-verify": recordVerify,
  clear,
  "restore-database": restoreDatabase,
  "restore-files": restoreFiles,
  open: openDatabase,
  "check-database": checkDatabase,
  "check-files": checkFiles,
  login,
  "clear-up": clearUp,
  "record-drill": recordDrill,
  "archive-now": archiveNow,
  "release-image": releaseImage,
  "record-known": recordKnown,
  close,
  look,
  away,
  stop,
  exchange: exchangeFolders,
  start,
  "lead-back": leadUsersBack,
  "archive-on": archiveOn,
  cron: startCron,
  "clear-after": clearAfterRestore,
  full: fullBackup,
  "stop-odoo": stopOdoo,
  "last-sign": lastSign,
  "hand-log": handLog,
  "hand-files": handFiles,
  "stop-database": stopDatabase,
  "mark-fenced": markFenced,
  "lift-fence": liftFence,
  "start-database": startDatabase,
  "start-odoo": startOdoo,
  "lead-users-back": leadUsers,
  "catch-up": catchUp,
  "newest-files": newestFiles,
  promote,
  opened,
  checkpoint,
};
