/** The look of the page: calm, the same in a mail, on paper and at night. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --card: #ffffff; --ink: #1d2530; --soft: #5c6673; --faint: #8b94a0;
  --line: #e4e6e9; --panel: #f6f7f8; --accent: #2f6f9f;
  --good: #2b7a4b; --good-ground: #eaf5ee;
  --bad: #b3261e; --bad-ground: #fcedeb;
  --open: #8a5a00; --open-ground: #fdf4e0;
  --fault: #d98e04; --fault-ground: #fbe7bd; --fault-ink: #5d3d00;
  --node-0: #41709f; --node-1: #bd6628; --node-2: #3d835f; --node-3: #94578d;
  --node-4: #8a7420; --node-5: #2d8095; --node-6: #84634f; --node-7: #69727c;
  --on-node: #ffffff; --track: #eceef0;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --card: #1b2026; --ink: #e6e9ed; --soft: #a3adb8; --faint: #7b8591;
    --line: #2f363e; --panel: #20262d; --accent: #6cabdb;
    --good: #6cc492; --good-ground: #18291f;
    --bad: #ff8a80; --bad-ground: #331c1b;
    --open: #efbc5f; --open-ground: #2f2614;
    --fault: #dca135; --fault-ground: #4b3a14; --fault-ink: #ffe2a3;
    --node-0: #5d8fc2; --node-1: #d98850; --node-2: #55a77e; --node-3: #b078aa;
    --node-4: #b99f45; --node-5: #55aabd; --node-6: #a37f6b; --node-7: #858e9a;
    --on-node: #10141a; --track: #262d34;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; padding: 32px 20px 64px; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1064px; margin: 0 auto; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 12px; }
h2 { font-size: 1.2rem; letter-spacing: -0.005em; margin: 48px 0 6px; }
h3 { font-size: 1rem; margin: 24px 0 4px; overflow-wrap: anywhere; }
p { margin: 0 0 10px; max-width: 46rem; overflow-wrap: break-word; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
code { overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.verdict { border-radius: 12px; padding: 28px 32px 20px; border: 1px solid; border-left-width: 8px; }
.verdict.pass { background: var(--good-ground); border-color: var(--good); }
.verdict.violated { background: var(--bad-ground); border-color: var(--bad); }
.verdict.inconclusive { background: var(--open-ground); border-color: var(--open); }
.stamp { display: inline-block; font-size: 0.8rem; font-weight: 700; letter-spacing: 0.04em; margin: 0 0 6px; overflow-wrap: anywhere; }
.stamp .word { text-transform: uppercase; letter-spacing: 0.08em; }
.pass .stamp, .holds .outcome, .kept .outcome { color: var(--good); }
.violated .stamp, .violated .outcome, .missed .outcome { color: var(--bad); }
.inconclusive .stamp, .unknown .outcome { color: var(--open); }
.verdict p { max-width: 50rem; }
.broken { margin: 4px 0 12px; padding-left: 20px; max-width: 50rem; }
.broken li { overflow-wrap: anywhere; }
.source { margin: -6px 0 10px 20px; font-size: 0.875rem; color: var(--soft); overflow-wrap: anywhere; }
a { color: var(--accent); }
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin: 20px 0 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px 12px; }
.tiles dt { font-size: 0.85rem; color: var(--soft); white-space: nowrap; }
.tiles dd { margin: 0; }
.tiles .figure { font-size: 1.5rem; font-weight: 600; letter-spacing: -0.02em; line-height: 1.35; font-variant-numeric: tabular-nums; }
.tiles .more { font-size: 0.8rem; line-height: 1.4; color: var(--soft); }
figure { margin: 14px 0 0; }
figcaption { color: var(--soft); font-size: 0.875rem; margin-top: 8px; max-width: 50rem; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.sheet { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.timeline { display: block; width: 100%; min-width: 780px; height: auto; padding: 8px 6px 6px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 9px 14px; border-bottom: 1px solid var(--line); }
tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; }
thead th { font-size: 0.78rem; color: var(--soft); font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 12rem; }
.outcome { font-weight: 600; white-space: nowrap; }
tr.violated, tr.missed { background: var(--bad-ground); }
.law-name { display: block; color: var(--soft); font-size: 0.8rem; }
.badge { display: inline-block; min-width: 1.6em; padding: 0 0.45em; border-radius: 0.8em; background: var(--fault-ground); color: var(--fault-ink); font-size: 0.8rem; font-weight: 600; text-align: center; }
.proof td { font-size: 0.82rem; }
.proof code { font-size: 0.95em; }
.plan { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 10px 0 0; }
.plan dt { color: var(--soft); }
.plan dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 48px; padding-top: 14px; border-top: 1px solid var(--line); font-size: 0.85rem; color: var(--soft); }
svg text { font-family: inherit; fill: var(--ink); }
svg .panel { fill: var(--panel); }
svg .panel-title { font-size: 13px; font-weight: 600; }
svg .panel-title, svg .key, svg .budget-text { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
svg .budget-text { stroke: var(--panel); }
svg .key, svg .tick { font-size: 11px; fill: var(--soft); }
svg .lane-name { font-size: 11.5px; fill: var(--soft); }
svg .grid, svg .hour { stroke: var(--line); stroke-width: 1; }
svg .hour { stroke-opacity: 0.7; }
svg .axis { stroke: var(--faint); stroke-width: 1; }
svg .rate-area { fill: var(--accent); fill-opacity: 0.28; }
svg .rate-line { fill: none; stroke: var(--accent); stroke-width: 1.2; stroke-linejoin: round; }
svg .failed { fill: var(--bad); }
svg .doubtful { fill: var(--fault); }
svg .p50-line, svg .p99-line, svg .slowest-line { fill: none; stroke-linejoin: round; stroke-linecap: round; }
svg .p50-line { stroke: var(--accent); stroke-width: 2; }
svg .p99-line { stroke: var(--node-3); stroke-width: 1.5; }
svg .slowest-line { stroke: var(--faint); stroke-width: 1; }
svg .swatch.p50 { fill: var(--accent); }
svg .swatch.p99 { fill: var(--node-3); }
svg .swatch.slowest { fill: var(--faint); }
svg .budget { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 5 4; stroke-opacity: 0.55; }
svg .budget-text { font-size: 10.5px; fill: var(--soft); }
svg .lane-track { fill: var(--track); }
svg .member-key { fill: var(--soft); }
svg .pale { fill-opacity: 0.35; }
svg .on-node { font-size: 10.5px; fill: var(--on-node); }
svg .nobody { fill: url(#hatch); }
svg .hatch-ground { fill: var(--bad-ground); }
svg .hatch-line { fill: var(--bad); fill-opacity: 0.55; }
svg .fault-band { fill: var(--fault); fill-opacity: 0.13; }
svg .fault-edge { stroke: var(--fault); stroke-width: 1.25; stroke-dasharray: 3 2; }
svg .fault-label { fill: var(--fault-ground); stroke: var(--fault); stroke-width: 1; }
svg .fault-text { font-size: 11px; font-weight: 600; fill: var(--fault-ink); white-space: pre; }
svg .violation { fill: var(--bad); stroke: var(--card); stroke-width: 1.5; }
svg .violation-line { stroke: var(--bad); stroke-width: 1.5; }
${Array.from({ length: 8 }, (_, node) => `svg .node-${node} { fill: var(--node-${node}); }`).join('\n')}
@media (max-width: 900px) {
  .tiles { grid-template-columns: repeat(3, 1fr); }
}
@media (max-width: 640px) {
  body { padding: 16px 12px 48px; }
  h1 { font-size: 1.55rem; }
  .verdict { padding: 20px 18px 12px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .plan { grid-template-columns: 1fr; gap: 0; }
  .plan dd { margin-bottom: 8px; }
  th, td { padding: 8px 10px; }
}
@media print {
  body { padding: 0; font-size: 11pt; background: #ffffff; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .scroll { overflow: visible; }
  .timeline { min-width: 0; }
  .verdict, .tiles div, figure, tr, h2, h3 { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
`;
