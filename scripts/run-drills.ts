// Runs every drill on every broker it fits, and prints the table of the README; then the tests of
// mechanisms that are too slow for `npm test`. `npm run drills`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { DrillReport } from '../src/verification/drills/drill-report.ts';
import { scenarioNames } from '../src/verification/drills/scenario-names.ts';

const brokers = ['embedded', 'redis'] as const;
/** These bring a broker of their own. */
const onlyRedis: readonly string[] = ['broker-failover'];

const wanted = process.argv.slice(2);
const scenarios = wanted.length > 0 ? wanted : scenarioNames;
const rows: string[] = [];
let failures = 0;
for (const scenario of scenarios) {
  const cells: string[] = [];
  for (const broker of brokers) {
    const fits = broker === 'redis' || !onlyRedis.includes(scenario);
    cells.push(fits ? await drill(scenario, broker) : 'needs a pair');
  }
  rows.push(`| \`${scenario}\` | ${cells.join(' | ')} |`);
}
console.log('\n| drill | embedded broker, logs in SQLite | Redis, logs in Redis |');
console.log('| --- | --- | --- |');
console.log(rows.join('\n'));
if (wanted.length === 0) await slowTeeth();
process.exitCode = failures === 0 ? 0 : 9;

async function drill(scenario: string, broker: string): Promise<string> {
  const args = ['bin/backplane.js', 'drill', 'run', scenario, '--broker', broker, '-o', 'json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = text(child.stdout);
  const [code] = await once(child, 'exit');
  if (code !== 0) failures += 1;
  const [report] = JSON.parse((await output) || '{"drills":[]}').drills as (
    | DrillReport
    | undefined
  )[];
  if (!report) return `ended with ${code}`;
  const { outcome, faults, reason, figures } = report;
  const slowest = Math.max(0, ...faults.map(({ recoveryMs }) => recoveryMs ?? 0));
  const found = `${(slowest / 1_000).toFixed(2)} s, ${figures.ops.acknowledged} ops`;
  console.error(`${scenario} on ${broker}: ${outcome}${reason === null ? '' : `, ${reason}`}`);
  return outcome === 'pass' ? found : `${outcome}: ${reason}`;
}

async function slowTeeth(): Promise<void> {
  const args = ['run', 'test/verification/teeth-long'];
  const [code] = await once(spawn('vitest', args, { stdio: 'inherit' }), 'exit');
  if (code !== 0) failures += 1;
}
