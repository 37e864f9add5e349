import type { AgentDeps } from "../agent-deps.ts";
import type { VerbTable } from "../serve.ts";
import { abortVerb } from "./abort.ts";
import { backupPlanVerb, backupsVerb, backupVerb } from "./backup.ts";
import { deployVerb, planVerb } from "./deploy.ts";
import { followVerb } from "./follow.ts";
import { helloVerb } from "./hello.ts";
import { historyVerb, journalVerb } from "./history.ts";
import { derivedLoadVerb, lockVerb, releaseBuildVerb, releaseExportVerb, releaseLoadVerb, releaseMissingVerb } from "./release.ts";
import { logsVerb, statusVerb } from "./look.ts";
import { reportVerb } from "./report.ts";
import { resumeVerb } from "./resume.ts";
import { siteKeepVerb } from "./site.ts";
import { rollbackPlanVerb, rollbackVerb, upgradePlanVerb, upgradeVerb } from "./swap.ts";

/** Every verb of the agent with its code. */
export function verbTable(deps: AgentDeps): VerbTable {
  return {
    hello: helloVerb(deps),
    plan: planVerb(deps),
    deploy: deployVerb(deps),
    "site-keep": siteKeepVerb(deps),
    lock: lockVerb(deps),
    "release-build": releaseBuildVerb(deps),
    "release-missing": releaseMissingVerb(deps),
    "release-load": releaseLoadVerb(deps),
    "release-export": releaseExportVerb(deps),
    "derived-load": derivedLoadVerb(deps),
    "upgrade-plan": upgradePlanVerb(deps),
    upgrade: upgradeVerb(deps),
    "rollback-plan": rollbackPlanVerb(deps),
    rollback: rollbackVerb(deps),
    "backup-plan": backupPlanVerb(deps),
    backup: backupVerb(deps),
    backups: backupsVerb(deps),
    follow: followVerb(deps),
    resume: resumeVerb(deps),
    abort: abortVerb(deps),
    status: statusVerb(deps),
    history: historyVerb(deps),
    journal: journalVerb(deps),
    report: reportVerb(deps),
    logs: logsVerb(deps),
  };
}
