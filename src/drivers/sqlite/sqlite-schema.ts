/** 'bpln': tells our files from every other SQLite database. */
export const applicationId = 0x62_70_6c_6e;
export const schemaVersion = 1;

/** What `checkWritable` writes: more than a small append, so that it has no room before that. */
const probeBytes = 32_768;

export const tables = ['meta', 'documents', 'ops', 'snapshots', 'probe'] as const;

/**
 * The file as it is made, in a transaction that its maker commits. Pages are large enough for
 * several small ops each; ops lie in the order of their log, so reading one is reading forward.
 */
export const schemaSql = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  BEGIN IMMEDIATE;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    doc TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    session TEXT NOT NULL,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL
  ) STRICT;
  CREATE TABLE ops (
    doc_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    peer TEXT NOT NULL,
    counter INTEGER NOT NULL,
    at REAL NOT NULL,
    chain TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (doc_id, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (
    doc_id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    data BLOB NOT NULL
  ) STRICT;
  INSERT INTO probe VALUES (1, zeroblob(${probeBytes}));
`;
