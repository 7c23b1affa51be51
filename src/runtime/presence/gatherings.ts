import type { Connection } from './connection.ts';
import type { GroupPresence, UserPresence } from './presence-door.ts';

/** Who is online among these connections, by name. */
export function usersAmong(connections: readonly Connection[]): UserPresence[] {
  const users = new Map<string, Connection[]>();
  for (const connection of connections) {
    if (connection.user !== null) add(users, connection.user, connection);
  }
  return sorted(users).map(([user, theirs]) => ({
    user,
    connections: theirs.length,
    hubs: distinct(theirs.map(({ hub }) => hub)),
    nodes: distinct(theirs.map(({ nodeId }) => nodeId)),
  }));
}

/** Who is together among these connections, by the name of the group. */
export function groupsAmong(connections: readonly Connection[]): GroupPresence[] {
  const groups = new Map<string, Connection[]>();
  for (const connection of connections) {
    for (const group of connection.groups) add(groups, group, connection);
  }
  return sorted(groups).map(([group, members]) => ({
    group,
    connections: members.length,
    users: new Set(members.map(({ user }) => user).filter((user) => user !== null)).size,
    hubs: distinct(members.map(({ hub }) => hub)),
    nodes: distinct(members.map(({ nodeId }) => nodeId)),
  }));
}

function add(map: Map<string, Connection[]>, name: string, connection: Connection): void {
  const list = map.get(name);
  if (list) list.push(connection);
  else map.set(name, [connection]);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1));
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
