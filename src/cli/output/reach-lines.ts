import { formatDuration } from '../../foundation/duration.ts';
import type { ReachAnswer, ReachReport } from '../../operations/act/reach-connections.ts';
import { payloadText } from './payload-text.ts';
import type { Line } from './styled-text.ts';

const payloadLengthShown = 10_000;

/** Who answered an invocation, or was not reached by a message, one line each. */
export function reachLines({ answers, delivered, nodes, method, unlisted }: ReachReport): Line[] {
  const lines = answers.map(answerLine);
  if (unlisted > 0) lines.push([{ text: `and ${unlisted} more`, style: 'warning' }]);
  if (method !== null) return lines;
  const where = nodes.length === 0 ? '' : ` on ${nodes.join(', ')}`;
  const noun = delivered === 1 ? 'connection' : 'connections';
  return [[`delivered to ${delivered} ${noun}${where}`], ...lines];
}

function answerLine(answer: ReachAnswer): Line {
  const { connection, nodeId, status, error, latencyMs } = answer;
  const about = `${connection}  ${nodeId}  ${formatDuration(latencyMs)}  `;
  if (status === 'ok') return [about, payloadText(answer, payloadLengthShown)];
  const why = error === null ? '' : `: ${error.message} [${error.code}]`;
  return [about, { text: `${status}${why}`, style: 'bad' }];
}
