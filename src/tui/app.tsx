import { Text, useApp, useInput, useWindowSize } from 'ink';
import { useEffect, useSyncExternalStore } from 'react';
import { footer } from './components/footer.ts';
import { LineRow } from './components/line-row.tsx';
import { Lines, type Size } from './components/lines.tsx';
import { timeSlider, titleBar } from './components/title-bar.ts';
import type { Dashboard, Snapshot } from './dashboard.ts';
import { lineText, type ScreenLine } from './drawing/screen-line.ts';
import type { Theme } from './drawing/theme.ts';
import { Frame } from './frame.tsx';
import { confirmLines, menuLines } from './screens/dialog-lines.ts';
import { helpLines } from './screens/help-lines.ts';
import { PageScreen } from './screens/page-screen.tsx';
import { TableScreen, tableLines } from './screens/table-screen.tsx';
import { readKeys } from './state/key-press.ts';
import { viewStateOf } from './state/ui-state.ts';
import { viewNamed } from './views/registry.ts';

export interface AppProps {
  readonly dashboard: Dashboard;
  readonly theme: Theme;
  /** Stops this process, as a shell expects of ctrl-z, until it is continued. */
  readonly stopProcess: () => Promise<void>;
  /** Is given the way to ctrl-z, which only the drawn application knows. */
  readonly onSuspendable: (suspend: () => void) => void;
}

/** The whole dashboard: a title, a view, a footer. */
export function App({ dashboard, theme, stopProcess, onSuspendable }: AppProps) {
  const { suspendTerminal } = useApp();
  const { columns, rows } = useWindowSize();
  const snapshot = useSyncExternalStore(dashboard.subscribe, dashboard.snapshot);
  useInput((input, key) => dashboard.press(readKeys(input, key)));
  useEffect(() => {
    onSuspendable(() => void suspendTerminal(stopProcess));
  }, [onSuspendable, stopProcess, suspendTerminal]);

  const size = { columns: Math.max(20, columns), rows: Math.max(4, rows) };
  const slider = timeSlider(snapshot.picture, size.columns, theme);
  const body = { columns: size.columns, rows: size.rows - 2 - (slider ? 1 : 0) };
  dashboard.resize(body);
  const { ui, picture } = snapshot;
  const title = titleBar(picture, ui.isPaused, size.columns, theme);
  const foot = footer(ui, picture, dashboard.isReadOnly);
  if (theme.spoken) {
    return <Spoken lines={[title, ...spokenBody(snapshot, body, theme), foot]} />;
  }
  return (
    <Frame size={size}>
      <LineRow line={title} width={size.columns} theme={theme} />
      <Body snapshot={snapshot} size={body} theme={theme} />
      {slider && <LineRow line={slider} width={size.columns} theme={theme} />}
      <LineRow line={foot} width={size.columns} theme={theme} />
    </Frame>
  );
}

interface BodyProps {
  readonly snapshot: Snapshot;
  readonly size: Size;
  readonly theme: Theme;
}

function Body({ snapshot, size, theme }: BodyProps) {
  const { ui, picture } = snapshot;
  const dialog = dialogLines(snapshot, size, theme);
  if (dialog) return <Lines lines={dialog} size={size} theme={theme} />;
  const view = viewNamed(ui.place.view);
  const state = viewStateOf(ui);
  const isStale = picture.link.state === 'lost';
  const shared = { picture, state, size, theme, isStale };
  if (view.kind === 'table') return <TableScreen view={view} {...shared} />;
  return <PageScreen view={view} place={ui.place} {...shared} />;
}

/** What lies over the view: help, a choice, a question. */
function dialogLines({ ui }: Snapshot, size: Size, theme: Theme): readonly ScreenLine[] | null {
  const { mode } = ui;
  if (mode.kind === 'help') return helpLines(size.columns).slice(mode.top);
  if (mode.kind === 'menu') return menuLines(mode, size.rows, theme);
  if (mode.kind === 'confirm') return confirmLines(mode.warning, size.columns);
  return null;
}

function spokenBody(snapshot: Snapshot, size: Size, theme: Theme): readonly ScreenLine[] {
  const { ui, picture } = snapshot;
  const dialog = dialogLines(snapshot, size, theme);
  if (dialog) return dialog;
  const view = viewNamed(ui.place.view);
  const state = viewStateOf(ui);
  if (view.kind === 'page') return view.lines(picture, { place: ui.place, state, size, theme });
  return tableLines({ view, picture, state, size, theme });
}

/** Plain sentences, one below the other. */
function Spoken({ lines }: { readonly lines: readonly ScreenLine[] }) {
  return <Text>{lines.map(lineText).filter(Boolean).join('\n')}</Text>;
}
