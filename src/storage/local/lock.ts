import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { OperatorError } from "#core/errors";
import type { Ids } from "#core/ids";

/** Room in a socket's address: 104 bytes on macOS, 108 on Linux. */
const ADDRESS_BYTES = 100;

export interface Lock {
  release(): Promise<void>;
}

/**
 * Holds a data folder for this process by a Unix socket that listens in its `lock` folder, named after the process id.
 * Node has no flock(2); a socket ends with its process however that dies, so nothing stale is ever believed, and it is
 * seen from other containers that mount the folder, where process ids mean nothing. Each process listens first and
 * looks round afterwards, so of two that start together at least one sees the other.
 * @throws OperatorError that names the folder and the process that holds it.
 */
export async function lockFolder(folder: string, ids: Ids): Promise<Lock> {
  const place = join(folder, "lock");
  await mkdir(place, { recursive: true, mode: 0o700 });
  const name = `${process.pid}-${ids.hex(8)}`;
  const server = createServer((socket) => socket.destroy());
  server.unref();
  await throughShortPath(place, name, async (path) => {
    server.listen(path);
    await once(server, "listening");
  });
  const release = async (): Promise<void> => {
    if (!server.listening) return;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(join(place, name), { force: true });
  };
  try {
    for (const other of await readdir(place)) {
      if (other === name) continue;
      if (await throughShortPath(place, other, listens))
        throw new OperatorError(
          `the data folder ${folder} is in use by process ${other.split("-")[0]}; stop it, or choose another folder`,
        );
      await rm(join(place, other), { force: true });
    }
    await access(join(place, name));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function listens(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Reaches a socket through a symbolic link where its own path is too long for an address. */
async function throughShortPath<T>(
  folder: string,
  name: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= ADDRESS_BYTES) return use(path);
  const short = await mkdtemp(join(tmpdir(), "thaw-"));
  try {
    await symlink(folder, join(short, "l"));
    return await use(join(short, "l", name));
  } finally {
    await rm(short, { recursive: true, force: true });
  }
}
