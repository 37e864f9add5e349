import { createHash } from "node:crypto";

/**
 * The page's whole style. Light, dark and paper; what a colour says is also said by a sign, a shape, a dash or a word.
 */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --panel: #f4f6f8; --ink: #16202a; --faint: #566371; --rule: #d4dae0;
  --blue: #1b5fc1; --green: #1d7a43; --fault: #b3261e; --warning: #8a5a00; --mark: #16202a; }
@media (prefers-color-scheme: dark) { :root { --ground: #11161c; --panel: #1a222b; --ink: #e6ebf0; --faint: #9aa7b4; --rule: #36424e;
  --blue: #7db0ff; --green: #6fd096; --fault: #ff8a80; --warning: #f0bf5a; --mark: #e6ebf0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 1.6em; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 1.2em; margin: 36px 0 8px; padding-bottom: 4px; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1em; margin: 20px 0 4px; }
p { margin: 6px 0; }
code, pre { font: .87em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: 10px 12px; margin: 6px 0; white-space: pre-wrap; border-radius: 4px; }
header { border-left: 6px solid var(--rule); padding: 2px 0 2px 16px; }
header.done { border-color: var(--green); } header.undone, header.open { border-color: var(--warning); } header.failed { border-color: var(--fault); }
.faint, .aside { color: var(--faint); }
.aside { display: block; font-size: .87em; }
.tag { display: inline-block; border: 1px solid currentcolor; border-radius: 3px; padding: 0 5px; font-size: .8em; line-height: 1.4; color: var(--faint); white-space: nowrap; }
.failed .tag, .undo-failed .tag, .tag.fail { color: var(--fault); } .tag.pass { color: var(--green); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 10px 0; }
dl.numbers { grid-template-columns: repeat(2, max-content 1fr); }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: 8px 0; }
th { text-align: left; font-weight: 600; font-size: .87em; color: var(--faint); }
th, td { padding: 3px 10px 3px 0; vertical-align: top; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.sign { width: 22px; } .failed > .sign, .undo-failed > .sign { color: var(--fault); } .done > .sign { color: var(--green); } .undone > .sign { color: var(--warning); }
.timeline td:last-child, .timeline th:last-child { width: 440px; padding-right: 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg.row { width: 420px; max-width: 100%; }
svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
.middle { text-anchor: middle; } .right { text-anchor: end; }
.axis line { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .minor { stroke-width: 1; opacity: .75; }
.line.blue { stroke: var(--blue); } .line.green { stroke: var(--green); stroke-dasharray: 7 3; } .line.plain { stroke: var(--mark); stroke-dasharray: 2 3; }
.mark.blue { fill: var(--blue); } .mark.green { fill: var(--green); } .mark.plain { fill: var(--mark); }
.reference { stroke-width: 1.5; stroke-dasharray: 1 4; stroke-linecap: round; } .reference.blue { stroke: var(--blue); } .reference.green { stroke: var(--green); } .reference.plain { stroke: var(--mark); }
svg .label.blue { fill: var(--blue); } svg .label.green { fill: var(--green); } svg .label.plain { fill: var(--ink); }
.moment line, line.moment { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 3 2; }
.fault path { stroke: var(--fault); stroke-width: 2.2; fill: none; }
.bar rect { stroke-width: 1; } .bar.done rect { fill: var(--faint); stroke: none; } .bar.failed rect { fill: var(--ground); stroke: var(--fault); }
.bar.failed path { stroke: var(--fault); stroke-width: 2.2; } .bar.open rect { fill: none; stroke: var(--faint); stroke-dasharray: 3 2; }
.bar.undone rect { fill: none; stroke: var(--warning); stroke-dasharray: 2 2; }
details { margin: 6px 0; } summary { cursor: pointer; color: var(--faint); }
.hash { font: .8em ui-monospace, monospace; }
figure { margin: 16px 0; } figcaption { font-weight: 600; }
@media screen and (max-width: 820px) { .timeline td:last-child, .timeline th:last-child { display: none; } }
@media print {
  :root { --ground: #fff; --panel: #fff; --ink: #000; --faint: #444; --rule: #bbb; --blue: #0b4aa2; --green: #0b5c2c; --fault: #8f0000; --warning: #5c3c00; --mark: #000; }
  body { font-size: 12px; } main { max-width: none; padding: 0; } h2, figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
  details:not([open]) { display: none; } .timeline td:last-child, .timeline th:last-child { width: 300px; }
}
`;

/** The page may use this style and nothing else: no script, no image, no font, no connection. */
export const CONTENT_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;
