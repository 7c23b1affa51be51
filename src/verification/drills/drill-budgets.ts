import { parseDurationMs } from '../../foundation/duration.ts';
import { type Budgets, budgetDefaults } from '../budgets.ts';
import { practice } from './practice.ts';
import type { Scenario } from './scenario.ts';

/** Those of the scenario, and for the others what its nodes are started with, or the defaults. */
export function drillBudgets({ budgets, cluster }: Pick<Scenario, 'budgets' | 'cluster'>): Budgets {
  const leaseTtl = cluster.serve['lease-ttl'];
  const staleMs = leaseTtl === undefined ? budgetDefaults.staleMs : parseDurationMs(leaseTtl);
  return { ...budgetDefaults, staleMs, cacheMs: practice.boundMs, ...budgets };
}
