/**
 * Whether a name matches a pattern in which `*` stands for any text and `?` for one character;
 * everything else means itself. Takes time linear in pattern times name, whatever the pattern.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let position = 0;
  let star = -1;
  let retry = 0;
  while (position < name.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at++;
      retry = position;
    } else if (wanted === '?' || (wanted !== undefined && wanted === name[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
