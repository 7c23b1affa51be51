/**
 * How a drill speaks with the agent in the process of a node: one JSON object a line, on a pipe of
 * their own. The end of the pipe is the end of the node, because nobody is left who would end it.
 */
export const agentFd = 3;

export type AgentCommand =
  | { readonly id: number; readonly ask: 'wall' }
  | { readonly id: number; readonly ask: 'step'; readonly byMs: number }
  /** Answered when it begins; nothing else is answered before `release`. */
  | { readonly id: number; readonly ask: 'block' }
  | { readonly id: number; readonly ask: 'release' };

export interface AgentAnswer {
  readonly id: number;
  /** The wall clock of the process. */
  readonly wallMs: number;
}
