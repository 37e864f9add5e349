import { describeSpan } from "./describe-span.ts";
import { attributes, type Markup, markup } from "./markup.ts";
import type { Moment, ProbeLook, RunStory, Span, StepState, StepStory } from "./run-story.ts";
import { clockOf, coordinate, type Scale, timeScale } from "./scale.ts";
import { cross, shape } from "./shapes.ts";

const WIDTH = 420;
const HEIGHT = 22;
const MARGIN = 8;
const MINIMUM_BAR = 2;

/** Sign and word of each state: neither needs a colour. */
const STATES: Readonly<Record<StepState, readonly [sign: string, word: string]>> = {
  waiting: ["·", "not begun"],
  begun: ["…", "not ended"],
  done: ["✔", "done"],
  failed: ["✘", "failed"],
  undoing: ["↩", "being undone"],
  undone: ["↩", "undone"],
  "undo-failed": ["✘", "undoing failed"],
};

/** Each step with its bar on a common axis, and below them each probe with its looks. */
export function timeline({ steps, probes, moments, seconds }: RunStory): Markup {
  const x = timeScale(seconds, MARGIN, WIDTH - MARGIN, 6);
  const named = grouped(probes);
  return markup`<table class="timeline">
<thead>${heading("Step", "Took", x)}</thead>
<tbody>
${steps.map((step) => stepRow(step, moments, x))}</tbody>
${
  named.size > 0 &&
  markup`<thead>${heading("Probe", "Passed", x)}</thead>
<tbody>
${[...named].map(([name, looks]) => probeRow(name, looks, moments, x))}</tbody>
`
}</table>`;
}

function grouped(probes: readonly ProbeLook[]): ReadonlyMap<string, readonly ProbeLook[]> {
  const groups = new Map<string, ProbeLook[]>();
  for (const probe of probes) {
    const name = `${probe.colour} ${probe.name}`;
    groups.set(name, [...(groups.get(name) ?? []), probe]);
  }
  return groups;
}

function heading(what: string, number: string, x: Scale): Markup {
  const axis = x.ticks.map((tick, index) => {
    const place = attributes({ class: index === 0 ? "" : "middle", x: coordinate(index === 0 ? 0 : x.place(tick)), y: 15 });
    return markup`<text${place}>${clockOf(tick)}</text>`;
  });
  return markup`<tr><th scope="col" colspan="2">${what}</th><th scope="col" class="number">${number}</th><th scope="col">${picture(axis)}</th></tr>`;
}

function stepRow({ title, cause, state, did, undid, detail, isDecision }: StepStory, moments: readonly Moment[], x: Scale): Markup {
  const [sign, word] = STATES[state];
  const tags = [isDecision && tag("decision"), state !== "done" && state !== "waiting" && tag(word)];
  const bars = [did && bar(did, didAs(state), x), undid && bar(undid, state === "undo-failed" ? "failed" : "undone", x)];
  return markup`<tr class="${state}"><td class="sign">${signed(sign, word)}</td><td>${title}${tags}<span class="aside">${detail ?? cause}</span></td>
<td class="number">${did && describeSpan(did.to - did.from)}${undid && markup`<span class="aside">undone in ${describeSpan(undid.to - undid.from)}</span>`}</td>
<td>${picture([momentLines(moments, x), bars])}</td></tr>
`;
}

type BarKind = "done" | "failed" | "open" | "undone";
const BARS: Readonly<Record<BarKind, string>> = { done: "done", failed: "failed", open: "not ended", undone: "undone" };

function didAs(state: StepState): BarKind {
  return state === "failed" ? "failed" : state === "begun" ? "open" : "done";
}

function bar({ from, to }: Span, kind: BarKind, x: Scale): Markup {
  const [left, right] = [x.place(from), x.place(to)];
  const [top, height] = kind === "undone" ? [14, 6] : [5, 10];
  const box = attributes({ x: coordinate(left), y: top, width: coordinate(Math.max(MINIMUM_BAR, right - left)), height });
  const name = markup`<title>${BARS[kind]}: ${clockOf(from)} to ${clockOf(to)}</title>`;
  return markup`<g class="bar ${kind}">${name}<rect${box}/>${kind === "failed" && cross(right, 10)}</g>`;
}

/** Only failures stand out; a probe that passed is a small mark of its colour. */
function probeRow(name: string, looks: readonly ProbeLook[], moments: readonly Moment[], x: Scale): Markup {
  const passed = looks.filter(({ verdict }) => verdict === "pass").length;
  const failed = looks.findLast(({ verdict }) => verdict === "fail");
  const sign = failed === undefined ? signed("✔", "passed") : signed("✘", "failed at times");
  return markup`<tr class="${failed === undefined ? "done" : "failed"}"><td class="sign">${sign}</td>
<td>${name}${failed && markup`<span class="aside">${failed.detail}</span>`}</td><td class="number">${passed} of ${looks.length}</td>
<td>${picture([momentLines(moments, x), looks.map((look) => drawLook(look, x))])}</td></tr>
`;
}

function drawLook({ at, verdict, detail, milliseconds, colour }: ProbeLook, x: Scale): Markup {
  const title = markup`<title>${clockOf(at)}: ${verdict}, ${detail} (${milliseconds} ms)</title>`;
  switch (verdict) {
    case "pass":
      return markup`<g>${title}${shape(colour, x.place(at), 11)}</g>`;
    case "fail":
      return markup`<g class="fault">${title}${cross(x.place(at), 11)}</g>`;
    case "unknown":
      return markup`<g>${title}<text class="middle"${attributes({ x: coordinate(x.place(at)), y: 15 })}>?</text></g>`;
  }
}

function momentLines(moments: readonly Moment[], x: Scale): readonly Markup[] {
  return moments.map(({ at }) => markup`<line class="moment"${attributes({ x1: coordinate(x.place(at)), y1: 0, x2: coordinate(x.place(at)), y2: HEIGHT })}/>`);
}

function picture(content: Parameters<typeof markup>[1]): Markup {
  return markup`<svg class="row" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">${content}</svg>`;
}

function signed(sign: string, word: string): Markup {
  return markup`<span aria-hidden="true">${sign}</span><span class="spoken">${word}</span>`;
}

function tag(word: string): Markup {
  return markup` <span class="tag">${word}</span>`;
}
