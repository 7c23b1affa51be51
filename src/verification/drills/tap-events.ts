import type { TapEvent } from '../../ports/tap.ts';
import type { Recordable } from './history-recorder.ts';

/**
 * What a tap tells, as a history says it. A lease stands under its session, so it is a registration
 * as well, by the name that `leaseRegistration` gives it.
 */
export function tapEvents(event: TapEvent): readonly Recordable[] {
  switch (event.kind) {
    case 'session.open':
      return [{ ev: 'session.open', session: event.session, nodeId: event.nodeId }];
    case 'session.beat':
      return [{ ev: 'session.beat', session: event.session, beat: event.beat }];
    case 'session.gone': {
      const { session, seenBeat } = event;
      return [{ ev: 'session.gone', session, ...(seenBeat !== undefined && { seenBeat }) }];
    }
    case 'lease.grant': {
      const { doc, session, epoch } = event;
      return [
        { ev: 'lease.grant', doc, session, epoch },
        { ev: 'registration.add', id: leaseRegistration(doc), session },
      ];
    }
    case 'lease.gone':
      return [removed(event.doc)];
    case 'store.fence': {
      const { doc, session, epoch } = event;
      return [{ ev: 'store.fence', doc, session, epoch, outcome: 'ok' }];
    }
    case 'store.append': {
      const { doc, session, epoch, seq, opIds } = event;
      return [{ ev: 'store.append', doc, session, epoch, seq, opIds, outcome: 'ok' }];
    }
    case 'unseen':
      // A lease that is seen later may stand under another session: nobody may be blamed for it.
      return event.where === 'store' ? [{ ev: 'store.unseen' }] : event.leases.map(removed);
  }
}

export function leaseRegistration(doc: string): string {
  return `lease:${doc}`;
}

function removed(doc: string): Recordable {
  return { ev: 'registration.remove', id: leaseRegistration(doc) };
}
