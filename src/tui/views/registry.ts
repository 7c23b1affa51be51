import { cacheView } from './cache-view.ts';
import { connectionsView } from './connections-view.ts';
import { documentView } from './document-view.ts';
import { documentsView } from './documents-view.ts';
import { eventsView } from './events-view.ts';
import { leasesView } from './leases-view.ts';
import { nodesView } from './nodes-view.ts';
import { overviewView } from './overview-view.ts';
import { relayView } from './relay-view.ts';
import { usersView } from './users-view.ts';
import type { View } from './view.ts';

/**
 * Every view, in the order of its number key. A new one is a file here and an entry in this list:
 * what it needs of the cluster it says in `wish`, and keys, help and completion follow.
 */
export const views: readonly View[] = [
  overviewView,
  nodesView,
  documentsView,
  leasesView,
  connectionsView,
  usersView,
  cacheView,
  relayView,
  eventsView,
  documentView,
];

export const homeView = overviewView;

/** Those with a number key of their own. */
export const mainViews: readonly View[] = views.filter(({ isInner }) => !isInner);

export function viewNamed(name: string): View {
  return views.find((view) => view.name === name) ?? homeView;
}

/** What somebody typed after `:`: a name, an alias, or the beginning of a name. */
export function findView(word: string): View | null {
  const wanted = word.toLowerCase();
  return (
    mainViews.find(({ name, aliases }) => name === wanted || aliases.includes(wanted)) ??
    mainViews.find(({ name }) => wanted !== '' && name.startsWith(wanted)) ??
    null
  );
}
