import { exitCodeOfState, type ProbeReport } from './probe.ts';

/** One line for Nagios: words, a bar, and the number with its thresholds. */
export function nagiosLine({
  check,
  state,
  value,
  unit,
  warn,
  critical,
  detail,
}: ProbeReport): string {
  const words = detail.replace(/[|\r\n]/g, ' ');
  const number = value === null ? '' : ` | ${check}=${value}${unit};${warn};${critical}`;
  return `${check.toUpperCase()} ${state.toUpperCase()}: ${words}${number}`;
}

/** The text format of Prometheus. */
export function prometheusText(
  { check, state, value, unit }: ProbeReport,
  takenAtMs: number,
): string {
  const label = `{check="${check}"}`;
  const name = unit === 'ms' ? 'backplane_check_seconds' : 'backplane_check_count';
  const number = value === null ? 'NaN' : String(unit === 'ms' ? value / 1_000 : value);
  return [
    '# HELP backplane_check_state 0 ok, 1 warning, 2 critical, 3 unknown.',
    '# TYPE backplane_check_state gauge',
    `backplane_check_state${label} ${exitCodeOfState[state]}`,
    `# HELP ${name} What the check measured.`,
    `# TYPE ${name} gauge`,
    `${name}${label} ${number}`,
    '# HELP backplane_check_timestamp_seconds When it was measured.',
    '# TYPE backplane_check_timestamp_seconds gauge',
    `backplane_check_timestamp_seconds${label} ${Math.round(takenAtMs / 1_000)}`,
    '',
  ].join('\n');
}
