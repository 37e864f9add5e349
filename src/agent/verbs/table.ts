import type { AgentDeps } from "../agent-deps.ts";
import type { VerbTable } from "../serve.ts";
import { abortVerb } from "./abort.ts";
import { deployVerb, planVerb } from "./deploy.ts";
import { followVerb } from "./follow.ts";
import { helloVerb } from "./hello.ts";
import { historyVerb } from "./history.ts";
import { lockVerb, releaseBuildVerb, releaseExportVerb, releaseLoadVerb, releaseMissingVerb } from "./release.ts";
import { logsVerb, statusVerb } from "./look.ts";
import { resumeVerb } from "./resume.ts";
import { rollbackPlanVerb, rollbackVerb, upgradePlanVerb, upgradeVerb } from "./swap.ts";

/** Every verb of the agent with its code. */
export function verbTable(deps: AgentDeps): VerbTable {
  return {
    hello: helloVerb(deps),
    plan: planVerb(deps),
    deploy: deployVerb(deps),
    lock: lockVerb(deps),
    "release-build": releaseBuildVerb(deps),
    "release-missing": releaseMissingVerb(deps),
    "release-load": releaseLoadVerb(deps),
    "release-export": releaseExportVerb(deps),
    "upgrade-plan": upgradePlanVerb(deps),
    upgrade: upgradeVerb(deps),
    "rollback-plan": rollbackPlanVerb(deps),
    rollback: rollbackVerb(deps),
    follow: followVerb(deps),
    resume: resumeVerb(deps),
    abort: abortVerb(deps),
    status: statusVerb(deps),
    history: historyVerb(deps),
    logs: logsVerb(deps),
  };
}
