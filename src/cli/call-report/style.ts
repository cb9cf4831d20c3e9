/**
 * The style sheet of a report. The colours of series are those of Okabe and Ito (2008), which are distinct for people
 * with any colour vision; they are lighter in dark mode. Printed pages are always light.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --dim: #5c6670; --line: #d7dce1; --grid: #e6e9ed;
  --good: #00704f; --good-tint: #e3f4ec; --bad: #b3261e; --bad-tint: #fbe9e7; --warn: #8a5a00; --warn-tint: #fdf3dc;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #e69f00; --c5: #56b4e9; --rest: #8c959f;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1d2228; --ink: #e6e9ec; --dim: #a0a9b3; --line: #3a424b; --grid: #2a3037;
    --good: #4fc99a; --good-tint: #143328; --bad: #ff8a80; --bad-tint: #3b1c1a; --warn: #f0c05a; --warn-tint: #362a10;
    --c0: #4aa3dc; --c1: #f08039; --c2: #2fbf94; --c3: #dc9cc0; --c4: #f0b83c; --c5: #8ccbf2; --rest: #7d8792;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); }
body { margin: 0; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main, footer { max-width: 1040px; margin: 0 auto; padding: 0 24px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 32px 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 40px 0 12px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
h2.policy { font-size: 1.4rem; border: 0; margin-top: 56px; }
h3 { font-size: 1rem; margin: 24px 0 8px; }
h4 { font-size: .9rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 4px 0; }
small { color: var(--dim); font-size: .8em; }
footer { color: var(--dim); font-size: .85rem; padding-top: 32px; padding-bottom: 32px; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; margin: 12px 0;
  font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
dl, dd { margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 28px; color: var(--dim); }
.facts div { display: flex; gap: 8px; max-width: 100%; }
.facts dd { color: var(--ink); overflow-wrap: anywhere; }
.readiness, .note { color: var(--dim); font-size: .9rem; }
.readiness { margin-top: 20px; }
.banner { padding: 10px 14px; border-radius: 6px; margin: 12px 0; }
.banner.bad { background: var(--bad-tint); color: var(--bad); overflow-wrap: anywhere; }
.banner.warn { background: var(--warn-tint); color: var(--warn); }
.verdict { display: flex; gap: 14px; align-items: flex-start; border-radius: 8px; border: 1px solid var(--line);
  border-left: 6px solid var(--rest); padding: 14px 18px; margin: 12px 0 20px; background: var(--card); overflow-wrap: anywhere; }
.verdict .head { font-size: 1.1rem; }
.verdict ul { margin: 6px 0; padding-left: 20px; }
.verdict .glyph { font-size: 1.5rem; line-height: 1.2; font-weight: 700; color: var(--rest); }
.verdict.pass { border-left-color: var(--good); background: var(--good-tint); }
.verdict.pass .glyph, .verdict.pass strong { color: var(--good); }
.verdict.fail { border-left-color: var(--bad); background: var(--bad-tint); }
.verdict.fail .glyph, .verdict.fail strong { color: var(--bad); }
.verdict.inconclusive { border-left-color: var(--warn); background: var(--warn-tint); }
.verdict.inconclusive .glyph, .verdict.inconclusive strong { color: var(--warn); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 10px; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px;
  display: flex; flex-direction: column; }
.figures dd { font-size: 1.3rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures small { white-space: nowrap; }
.figures dt { color: var(--dim); font-size: .85rem; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; margin: 8px 0; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--dim); font-weight: 600; border-bottom: 1px solid var(--line); white-space: nowrap; }
th, td { padding: 5px 7px; vertical-align: top; unicode-bidi: isolate; }
td { border-bottom: 1px solid var(--grid); overflow-wrap: anywhere; }
th.number, td.number { text-align: right; white-space: nowrap; }
td small { display: block; }
td bdi, .checks td:first-child { white-space: nowrap; }
.result { white-space: nowrap; font-weight: 600; }
.result.passed { color: var(--good); } .result.failed, .result.error { color: var(--bad); } .result.skipped { color: var(--dim); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 0; padding: 0; font-size: .85rem; }
.legend li { display: flex; align-items: center; gap: 6px; overflow-wrap: anywhere; }
.key { flex: none; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 12px; }
.panel { border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px 4px; min-width: 0; }
.panel p { color: var(--dim); font-size: .8rem; margin: 0 0 2px; }
svg { display: block; width: 100%; height: auto; }
.scroll > svg { min-width: 620px; }
.panel .scroll > svg { min-width: 0; }
svg.key { width: 22px; height: 12px; }
svg text { font-size: 12px; fill: var(--dim); font-family: inherit; font-variant-numeric: tabular-nums; }
svg text.title { fill: var(--ink); }
.grid { stroke: var(--grid); stroke-width: 1; fill: none; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.expected { fill: none; stroke: var(--ink); stroke-width: 1.3; stroke-dasharray: 5 4; }
.dashed { stroke-dasharray: 5 4; stroke-width: 1.3; }
.layer { stroke: var(--paper); stroke-width: 1; stroke-linejoin: round; }
.tint { opacity: .16; }
.span { stroke: var(--line); stroke-width: 3; }
.event { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 3; opacity: .55; fill: none; }
svg text.event-glyph { fill: var(--ink); font-weight: 700; }
.fill.c0, .tint.c0 { fill: var(--c0); } .line.c0 { stroke: var(--c0); }
.fill.c1, .tint.c1 { fill: var(--c1); } .line.c1 { stroke: var(--c1); }
.fill.c2, .tint.c2 { fill: var(--c2); } .line.c2 { stroke: var(--c2); }
.fill.c3, .tint.c3 { fill: var(--c3); } .line.c3 { stroke: var(--c3); }
.fill.c4, .tint.c4 { fill: var(--c4); } .line.c4 { stroke: var(--c4); }
.fill.c5, .tint.c5 { fill: var(--c5); } .line.c5 { stroke: var(--c5); }
.fill.rest, .tint.rest { fill: var(--rest); } .line.rest { stroke: var(--rest); }
.fill.bad, .tint.bad { fill: var(--bad); } .line.bad { stroke: var(--bad); }
.line.ink { stroke: var(--ink); }
@media (max-width: 600px) {
  main, footer { padding: 0 12px; }
  h1 { font-size: 1.3rem; margin-top: 18px; }
  th, td { padding: 5px 6px; }
}
@media print {
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 11px; }
  main, footer { max-width: none; padding: 0; }
  .verdict, .panel, .figures div, svg, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  .scroll > svg { min-width: 0; }
}
`
