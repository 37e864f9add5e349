import type { JournalEntry } from "../../kernel/journal.ts";
import type { RunRecord } from "../run-record.ts";
import { type Markup, markup } from "./markup.ts";

/** The run's entries in the host's journal, with the hashes by which they can be found there again. */
export function journalSection({ journal: { entries, head, problem, run } }: RunRecord): Markup {
  if (problem !== undefined) return markup`<h2>Journal</h2>\n<p><span class="tag fail">✘ broken</span> ${problem}</p>`;
  return markup`<h2>Journal</h2>
<p>Each entry carries the hash of the one before. When this page was made the journal had ${entries} entries and the head
<code>${head}</code>; <code>millwright history verify</code> tells whether it still holds these.</p>
<table>
<thead><tr><th scope="col" class="number">Entry</th><th scope="col">At (UTC)</th><th scope="col">What</th><th scope="col">Hash</th></tr></thead>
<tbody>
${run.map(entryRow)}</tbody>
</table>`;
}

function entryRow({ seq, at, kind, step, hash }: JournalEntry): Markup {
  return markup`<tr><td class="number">${seq}</td><td>${at.slice(11, 23)}</td><td>${kind} ${step}</td><td class="hash">${hash}</td></tr>\n`;
}
