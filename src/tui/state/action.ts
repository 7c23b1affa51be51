import type { ClusterAction } from '../../operations/act/cluster-action.ts';

/** One line of the menu behind `x`. */
export interface Action {
  readonly label: string;
  /** What will happen, before it does; a choice of further actions has none. */
  readonly next:
    | {
        readonly kind: 'confirm';
        readonly warning: readonly string[];
        readonly request: ClusterAction;
      }
    | { readonly kind: 'menu'; readonly title: string; readonly actions: readonly Action[] };
}
