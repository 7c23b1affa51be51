import type { Inspector } from '../../ports/inspector.ts';
import type { Sessions } from '../../ports/sessions.ts';
import { type ChannelName, readChannelName } from '../../runtime/channels.ts';

/** One channel of the bus that somebody listens to. */
export interface ChannelReport {
  readonly channel: string;
  /** `inbox`: requests to one node. `doc`: the ops of one document. */
  readonly kind: ChannelName['kind'];
  /** The document, or of a long name its hash; null for other kinds. */
  readonly doc: string | null;
  /** Whose inbox it is; null for other kinds, and for a visitor's. */
  readonly nodeId: string | null;
  readonly session: string | null;
  readonly receivers: number;
}

export interface ChannelSources {
  readonly inspector: Inspector;
  readonly sessions: Sessions;
}

/** Every channel with a subscriber, in pages, by what it is for. Subscribes to nothing. */
export async function* listChannels(sources: ChannelSources): AsyncGenerator<ChannelReport[]> {
  const nodeIds = new Map(
    (await sources.sessions.list()).map((record) => [record.id, record.description.nodeId]),
  );
  for await (const rows of sources.inspector.channels()) {
    yield rows.map(({ channel, receivers }) => {
      const { kind, subject } = readChannelName(channel);
      return {
        channel,
        kind,
        doc: kind === 'doc' ? subject : null,
        nodeId: kind === 'inbox' ? (nodeIds.get(subject) ?? null) : null,
        session: kind === 'inbox' ? subject : null,
        receivers,
      };
    });
  }
}
