import { Lines } from '../components/lines.tsx';
import type { Picture } from '../state/picture.ts';
import type { PageDrawing, PageView } from '../views/view.ts';

export interface PageScreenProps extends PageDrawing {
  readonly view: PageView;
  readonly picture: Picture;
  readonly isStale?: boolean;
}

/** A view that draws itself. */
export function PageScreen({ view, picture, isStale = false, ...drawing }: PageScreenProps) {
  const { size, theme } = drawing;
  return <Lines lines={view.lines(picture, drawing)} size={size} theme={theme} isStale={isStale} />;
}
