import { fail, pass, type Probe, requestTo, type Target } from "./probe.ts";

const ASSET = /(?:src|href)="(\/web\/(?:assets|content)\/[^"#]+\.(?:js|css)(?:\?[^"]*)?)"/g;

/** The scripts and styles that the login page names: without them the page is blank, whatever its status. */
export function assetsProbe(target: Target): Probe {
  return {
    name: "assets",
    look: async () => {
      const page = await target.http.ask(requestTo(target, "/web/login"));
      const paths = assetPaths(page.body);
      if (page.status !== 200 || paths.length === 0) return fail(`/web/login (${page.status}) names no scripts or styles`);
      const problems: string[] = [];
      let bytes = 0;
      // One after the other, as people may be waiting for the same workers.
      for (const path of paths) {
        // The first request for a bundle after a change compiles it.
        const answer = await target.http.ask(requestTo(target, path, { timeoutMilliseconds: 60_000 }));
        const kind = path.split("?")[0]?.endsWith(".css") === true ? "css" : "javascript";
        bytes += answer.body.length;
        if (answer.status !== 200) problems.push(`${path} answered ${answer.status}`);
        else if (answer.body.length === 0) problems.push(`${path} is empty`);
        else if (!(answer.headers["content-type"] ?? "").includes(kind))
          problems.push(`${path} is ${answer.headers["content-type"] ?? "of no type"}, not ${kind}`);
      }
      const evidence = { paths, bytes, problems };
      return problems.length === 0 ? pass(`${paths.length} bundles`, evidence) : fail(problems.join("; "), evidence);
    },
  };
}

export function assetPaths(page: string): readonly string[] {
  return [...new Set([...page.matchAll(ASSET)].map((match) => (match[1] ?? "").replaceAll("&amp;", "&")))];
}
