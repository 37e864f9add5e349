import { type Markup, markup } from "./markup.ts";

/** A verdict by its sign, its word and its colour. */
export function verdictTag(verdict: string): Markup {
  const kind = verdict === "pass" || verdict === "fail" ? verdict : "";
  const sign = verdict === "pass" ? "✔ " : verdict === "fail" ? "✘ " : "";
  return markup`<span class="tag ${kind}">${sign}${verdict}</span>`;
}
