import { defineConfig } from "vitest/config";

const UNIT = { globalSetup: ["test/own-temporary-folder.ts"], include: ["test/**/*.test.ts"], testTimeout: 20_000 };
const NOT_UNIT = ["test/live/**", "test/golden/**", "test/lab/**"];

export default defineConfig({
  test: {
    unstubEnvs: true,
    // As the command line and the agent do.
    setupFiles: ["src/kernel/interpret-schemas.ts"],
    restoreMocks: true,
    projects: [
      { extends: true, test: { ...UNIT, name: "unit", exclude: NOT_UNIT } },
      // What is run on other lines of Node: without a minute of decisions played through, and a browser, in which they have no say.
      {
        extends: true,
        test: {
          ...UNIT,
          name: "portable",
          exclude: [...NOT_UNIT, "test/{swap,recovery}/kill-points.test.ts", "test/swap/model/*.test.ts", "test/swap/regressions.test.ts", "test/observe/report/report-browser.test.ts"],
        },
      },
      { extends: true, test: { name: "golden", globalSetup: ["test/own-temporary-folder.ts"], include: ["test/golden/*.test.ts"], testTimeout: 20_000 } },
      {
        extends: true,
        test: {
          name: "live",
          include: ["test/live/**/*.live.test.ts"],
          globalSetup: ["test/live/global-setup.ts"],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
