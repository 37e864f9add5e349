import * as fc from "fast-check";

/**
 * Property tests import fast-check from here. They try the same examples each time, so that a run that fails does so by what was changed;
 * `npm run test:properties` tries others.
 */
fc.configureGlobal({ seed: Number(process.env["MILLWRIGHT_SEED"] ?? 1) });

export * from "fast-check";
