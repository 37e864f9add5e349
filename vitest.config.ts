import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    unstubEnvs: true,
    restoreMocks: true,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/live/**", "test/golden/**", "test/lab/**"], testTimeout: 20_000 } },
      { extends: true, test: { name: "golden", include: ["test/golden/*.test.ts"], testTimeout: 20_000 } },
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
