import type { Chart, Line, Point } from "./chart.ts";
import { attributes, type Markup, markup } from "./markup.ts";
import type { Moment } from "./run-story.ts";
import { clockOf, coordinate, linearScale, type Scale, shortNumber, timeScale } from "./scale.ts";
import { cross, shape } from "./shapes.ts";

const WIDTH = 920;
const HEIGHT = 240;
const PLOT = { left: 56, right: 740, top: 26, bottom: 196 } as const;
/** Shapes on a line, so that it can be told without its colour: as many as the eye can follow. */
const SHAPES = 14;
const LABEL_HEIGHT = 14;

const MOMENTS: Readonly<Record<Exclude<Moment["name"], "stage">, string>> = {
  switch: "switch",
  decision: "decision",
  back: "users back",
  again: "taken up again",
};

/** A chart over the time of a run, as SVG: axes, lines told apart by colour, dash and shape, values to compare with, faults, moments. */
export function lineChart(given: Chart, seconds: number, moments: readonly Moment[]): Markup {
  const chart = { ...given, lines: given.lines.filter(({ points }) => points.length > 0) };
  const x = timeScale(seconds, PLOT.left, PLOT.right);
  const values = [...chart.lines.flatMap(({ points }) => points.map(({ value }) => value)), ...chart.references.map(({ value }) => value)];
  const y = linearScale(Math.max(0, ...values), PLOT.bottom, PLOT.top);
  const id = `${chart.id}-title`;
  return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id} ${id}-about">
<title id="${id}">${chart.title}</title>
<desc id="${id}-about">${chart.about} ${summary(chart)}</desc>
${axes(chart, x, y)}${momentLines(moments, x)}${chart.references.map(({ look, value }) => markup`<line class="reference ${look}"${line(PLOT.left, y.place(value), PLOT.right, y.place(value))}/>\n`)}${chart.lines.map((one) => drawLine(one, x, y))}${labels(chart, y)}${chart.faults.map(({ at: when, text }) => markup`<g class="fault"><title>${clockOf(when)}: ${text}</title>${cross(x.place(when), PLOT.bottom + 8)}</g>\n`)}</svg>`;
}

function axes({ unit }: Chart, x: Scale, y: Scale): Markup {
  const rows = y.ticks.map(
    (tick) =>
      markup`<line${line(PLOT.left, y.place(tick), PLOT.right, y.place(tick))}/><text class="right"${at(PLOT.left - 6, y.place(tick) + 4)}>${shortNumber(tick)}</text>\n`,
  );
  const columns = x.ticks.map((tick) => markup`<text class="middle"${at(x.place(tick), PLOT.bottom + 32)}>${clockOf(tick)}</text>\n`);
  return markup`<g class="axis">${rows}${columns}<text${at(0, 14)}>${unit}</text></g>\n`;
}

function momentLines(moments: readonly Moment[], x: Scale): readonly Markup[] {
  let row = 0;
  let end = Number.NEGATIVE_INFINITY;
  return moments.map((moment) => {
    const place = x.place(moment.at);
    const name = moment.name === "stage" ? `${moment.percent} %` : MOMENTS[moment.name];
    // Those close together are written one below the other.
    row = place < end ? row + 1 : 0;
    end = place + name.length * 7;
    // At the right edge stand the names of the lines.
    const isLast = end > PLOT.right;
    const text = markup`<text${isLast && markup` class="right"`}${at(place + (isLast ? -4 : 4), PLOT.top + row * 13)}>${name}</text>`;
    return markup`<g class="moment"><line${line(place, PLOT.top - 8, place, PLOT.bottom)}/>${text}</g>\n`;
  });
}

function drawLine({ look, isMinor, points }: Line, x: Scale, y: Scale): Markup {
  const path = points
    .map(({ at: when, value, isApart }, index) => `${index === 0 || isApart === true ? "M" : "L"}${coordinate(x.place(when))} ${coordinate(y.place(value))}`)
    .join("");
  const marks = isMinor === true ? [] : shaped(points).map(({ at: when, value }) => shape(look, x.place(when), y.place(value)));
  return markup`<path class="line ${look}${isMinor === true ? " minor" : ""}" d="${path}"/>${marks}\n`;
}

function shaped(points: readonly Point[]): readonly Point[] {
  const every = Math.max(1, Math.ceil(points.length / SHAPES));
  return points.filter(({ isApart }, index) => index % every === 0 || isApart === true || index === points.length - 1);
}

interface Label {
  readonly text: string;
  readonly look: Line["look"];
  readonly y: number;
}

/** Each line's name at its end, moved apart where they would lie on each other. */
function labels({ lines, references, unit }: Chart, y: Scale): readonly Markup[] {
  const named = [
    ...lines.map(({ name, look, points }) => ({ name, look, value: points.at(-1)?.value ?? 0 })),
    ...references.map(({ name, look, value }) => ({ name, look, value })),
  ];
  const labelled = named.map(({ name, look, value }): Label => ({ text: `${name} ${shortNumber(value)} ${unit}`, look, y: y.place(value) }));
  return apart(labelled).map(({ text, look, y: place }) => markup`<text class="label ${look}"${at(PLOT.right + 8, place + 4)}>${text}</text>\n`);
}

/** From the top down each below the one before; what that pushes out of the picture goes up again and pushes those above it. */
function apart(wanted: readonly Label[]): readonly Label[] {
  let highest = Number.NEGATIVE_INFINITY;
  const down = [...wanted].sort((a, b) => a.y - b.y).map((label) => ({ ...label, y: (highest = Math.max(label.y, highest + LABEL_HEIGHT)) }));
  let lowest: number = PLOT.bottom + LABEL_HEIGHT;
  return down.reverse().map((label) => ({ ...label, y: (lowest = Math.min(label.y, lowest - LABEL_HEIGHT)) }));
}

function summary({ lines, references, unit, faults }: Chart): string {
  const said = lines.map(({ name, points }) => {
    const values = points.map(({ value }) => value);
    return `${name}: between ${shortNumber(Math.min(...values))} and ${shortNumber(Math.max(...values))} ${unit}.`;
  });
  const compared = references.map(({ name, value }) => `${name}: ${shortNumber(value)} ${unit}.`);
  return [...said, ...compared, ...(faults.length === 0 ? [] : [`${faults.length} failures.`])].join(" ");
}

function line(x1: number, y1: number, x2: number, y2: number): Markup {
  return attributes({ x1: coordinate(x1), y1: coordinate(y1), x2: coordinate(x2), y2: coordinate(y2) });
}

function at(x: number, y: number): Markup {
  return attributes({ x: coordinate(x), y: coordinate(y) });
}
