import { plural } from '../drawing/figures.ts';
import type { Picture } from '../state/picture.ts';
import type { ViewState } from './view.ts';

/** As many as a screen can use, and few enough for a message. */
export const listingRows = 200;

/** What the title says of a listing: how many there are, which page it is, who did not answer. */
export function listingNote(
  { listing, isReplay }: Picture,
  { pages }: ViewState,
  thing: string,
): string | null {
  if (isReplay) return `a recording does not keep ${thing}s`;
  if (listing === null) return null;
  if (listing.failure !== null) return `not read: ${listing.failure}`;
  const { filter, selector } = listing.query;
  const { user } = selector;
  const more = listing.next === null ? '' : ', ] for the next';
  const before = pages.length === 0 ? '' : ', [ for the one before';
  const page = more === '' && before === '' ? '' : `  page ${pages.length + 1}${more}${before}`;
  const silent = listing.silent.length === 0 ? '' : `  no answer from ${listing.silent.join(', ')}`;
  const isAll = before === '' && more === '';
  const total = listing.total ?? (isAll ? listing.rows.length : null);
  const count = total === null ? `${thing}s` : plural(total, thing);
  const fits = filter === '' ? '' : ' that fit';
  return `${count}${fits}${user === undefined ? '' : ` of ${user}`}${page}${silent}`;
}

/** The name after which the next page of this kind begins. */
export function nextListingPage(kind: string) {
  return ({ listing }: Picture) => (listing?.kind === kind ? listing.next : null);
}
