/**
 * The thread that has the file open. SQLite is synchronous: what arrives while a commit waits for
 * the disk is found in the port afterwards, and goes into the next transaction together.
 */
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { invariant } from '../../foundation/assert.ts';
import { GroupCommit } from './group-commit.ts';
import type { SqliteAnswer, SqliteRequest, WriteRequest } from './sqlite-calls.ts';
import { asFailure, sqliteFailure } from './sqlite-errors.ts';
import { openSqliteFile, openSqliteReader } from './sqlite-file.ts';
import { SqliteReads } from './sqlite-reads.ts';

/** A transaction keeps the other processes waiting: it takes no more than this. */
const groupWritesMax = 1_024;
const groupBytesMax = 16_777_216;

invariant(parentPort, 'this file is run as a thread');
const port = parentPort;
const queue: SqliteRequest[] = [];
let isEnding = false;
let path = '';
let db: DatabaseSync | null = null;
let reads: SqliteReads | null = null;
let group: GroupCommit | null = null;

port.on('message', (requests: SqliteRequest[]) => {
  queue.push(...requests);
  receiveMore();
  while (queue.length > 0) {
    answer(queue[0] && isWrite(queue[0]) ? commitNext() : [performNext()]);
    receiveMore();
  }
  // Whether the file could be closed or not, and after the answer: a closed port sends nothing.
  if (isEnding) port.close();
});

function receiveMore(): void {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (!received) return;
    queue.push(...(received.message as SqliteRequest[]));
  }
}

function commitNext(): SqliteAnswer[] {
  invariant(group, 'a thread that writes has the file open');
  return group.commit(takeGroup);
}

function takeGroup(): WriteRequest[] {
  receiveMore();
  const taken: WriteRequest[] = [];
  let bytes = 0;
  for (const request of queue) {
    if (!isWrite(request) || taken.length >= groupWritesMax) break;
    bytes += request.kind === 'append' ? request.takes.ops.bytes.byteLength : 0;
    if (bytes > groupBytesMax && taken.length > 0) break;
    taken.push(request);
  }
  queue.splice(0, taken.length);
  return taken;
}

function performNext(): SqliteAnswer {
  const request = queue.shift();
  invariant(request, 'the queue holds a request');
  try {
    return { id: request.id, gives: perform(request) };
  } catch (thrown) {
    return { id: request.id, failure: asFailure(sqliteFailure(thrown, path)) };
  }
}

function perform(request: SqliteRequest): unknown {
  switch (request.kind) {
    case 'openWriter': {
      path = request.takes.path;
      const file = openSqliteFile(request.takes);
      db = file.db;
      group = new GroupCommit(db, path, request.takes.lockWaitMs);
      return { identity: file.identity, created: file.created };
    }
    case 'openReader':
      path = request.takes.path;
      db = openSqliteReader(request.takes);
      reads = new SqliteReads(db);
      return null;
    case 'head':
      return opened().head(request.takes);
    case 'read':
      return opened().read(request.takes);
    case 'readSnapshot':
      return opened().readSnapshot(request.takes);
    case 'documents':
      return opened().documents(request.takes);
    case 'close':
      isEnding = true;
      db?.close();
      return null;
    default:
      invariant(false, 'a write goes through its group');
  }
}

function opened(): SqliteReads {
  invariant(reads, 'a thread that reads has the file open');
  return reads;
}

function isWrite(request: SqliteRequest): request is WriteRequest {
  switch (request.kind) {
    case 'fence':
    case 'append':
    case 'saveSnapshot':
    case 'checkWritable':
      return true;
    default:
      return false;
  }
}

function answer(answers: readonly SqliteAnswer[]): void {
  port.postMessage(answers);
}
