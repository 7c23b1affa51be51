import type { Registry } from 'prom-client';
import type { BackplaneNode } from '../runtime/node.ts';
import {
  type GatewayCounterName,
  type GatewayCounters,
  gatewayCounterHelp,
} from './gateway-counters.ts';
import { helpOf } from './metric-help.ts';

const prefix = 'backplane_';

/** The process has one event loop, however many nodes it runs: measured once, from the first scrape on. */
let processMetrics: Promise<Registry> | null = null;

/** Everything this node counts in Prometheus's text format, with HELP, TYPE and units in the names. */
export async function metricsPage(
  node: BackplaneNode | null,
  counters: GatewayCounters,
): Promise<{ contentType: string; body: string }> {
  // Loaded at the first scrape: it costs a node that nobody scrapes nothing.
  const { Counter, Gauge, Registry } = await import('prom-client');
  processMetrics ??= measureProcess();
  const registry = new Registry();
  const registers = [registry];
  const metrics = node?.metrics() ?? { counters: {}, gauges: {} };
  for (const [name, value] of Object.entries(metrics.counters)) {
    new Counter({ name: `${prefix}${name}`, help: helpOf(name), registers }).inc(value);
  }
  for (const [name, value] of Object.entries(metrics.gauges)) {
    new Gauge({ name: `${prefix}${name}`, help: helpOf(name), registers }).set(value);
  }
  for (const [name, { help, label }] of Object.entries(gatewayCounterHelp)) {
    const labelNames = label ? [label] : [];
    const counter = new Counter({ name: `${prefix}${name}`, help, labelNames, registers });
    for (const [value, count] of counters.read(name as GatewayCounterName)) {
      if (label) counter.inc({ [label]: value }, count);
      else counter.inc(count);
    }
  }
  const all = Registry.merge([registry, await processMetrics]);
  return { contentType: all.contentType, body: await all.metrics() };
}

async function measureProcess(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const register = new Registry();
  collectDefaultMetrics({ register, prefix });
  return register;
}
