import { isAlias, isMap, isNode, isPair, isScalar, isSeq, type Document, type LineCounter } from "yaml";

/** One thing wrong with site.yaml (or with a file it names), where a person can go and mend it. */
export interface SiteProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Key as a person reads it: `environments.production.host.memory`. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

export type SitePath = readonly (string | number)[];

export function formatProblem(problem: SiteProblem): string {
  const key = problem.path === "" ? "" : `${problem.path}: `;
  const meant = problem.suggestion === undefined ? "" : ` (did you mean "${problem.suggestion}"?)`;
  return `${problem.file}:${problem.line}:${problem.column}  ${key}${problem.message}${meant}`;
}

export function pathText(path: SitePath): string {
  return path.reduce<string>((text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`), "");
}

/** Line and column of a path: of its key if it is there, else of the nearest key above it. */
export function locate(document: Document, lines: LineCounter, path: SitePath): { readonly line: number; readonly column: number } {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    const found = child(document, node, step);
    if (found === undefined) break;
    offset = found.offset;
    node = found.node;
  }
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function child(document: Document, parent: unknown, step: string | number): { readonly node: unknown; readonly offset: number } | undefined {
  const node = resolved(document, parent);
  if (isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && (isScalar(item.key) ? String(item.key.value) : String(item.key)) === String(step));
    return pair === undefined ? undefined : { node: pair.value, offset: startOf(pair.key) ?? startOf(pair.value) ?? 0 };
  }
  if (typeof step === "number" && isSeq(node)) {
    const item: unknown = node.items[step];
    return item === undefined ? undefined : { node: item, offset: startOf(item) ?? 0 };
  }
  return undefined;
}

function resolved(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
